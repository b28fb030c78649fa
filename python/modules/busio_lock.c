/* The lock of I2C and SPI: taken without waiting, not re-entrant, given back silently when not held. Who
 * holds it matters: an unlock() of the program does not take the bus away from an engine in the middle of a
 * frame, nor may the program transfer then. */
#include "python/modules/busio.h"

enum { FREE, PROGRAM, ENGINE };

static bool take(busio_lock_t *lock, int who)
{
    int nobody = FREE;
    return atomic_compare_exchange_strong(&lock->holder, &nobody, who);
}

static void give(busio_lock_t *lock, int who)
{
    atomic_compare_exchange_strong(&lock->holder, &who, FREE);
}

py_t busio_try_lock(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return py_bool(take(s, PROGRAM));
}

py_t busio_unlock(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    give(s, PROGRAM);
    return py_none();
}

bool busio_needs_lock(const busio_lock_t *lock)
{
    return atomic_load(&lock->holder) == PROGRAM ||
           py_fail(py_raise(PY_RuntimeError, "Function requires lock"));
}

static bool take_for_engine(void *ctx)
{
    return take(ctx, ENGINE);
}

static void give_by_engine(void *ctx)
{
    give(ctx, ENGINE);
}

adder_bus_lock_t busio_lock_share(busio_lock_t *lock)
{
    return (adder_bus_lock_t){.try_lock = take_for_engine, .unlock = give_by_engine, .ctx = lock};
}
