/* The lock of I2C and SPI: taken without waiting, not re-entrant, given back silently when not held. */
#include "python/modules/busio.h"

static bool take(void *ctx)
{
    return !atomic_exchange(&((busio_lock_t *)ctx)->held, true);
}

static void give(void *ctx)
{
    atomic_store(&((busio_lock_t *)ctx)->held, false);
}

py_t busio_try_lock(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    return py_bool(take(s));
}

py_t busio_unlock(py_t self, void *s, const py_val_t *a)
{
    (void)self, (void)a;
    give(s);
    return py_none();
}

bool busio_needs_lock(const busio_lock_t *lock)
{
    return atomic_load(&lock->held) || py_fail(py_raise(PY_RuntimeError, "Function requires lock"));
}

adder_bus_lock_t busio_lock_share(busio_lock_t *lock)
{
    return (adder_bus_lock_t){.try_lock = take, .unlock = give, .ctx = lock};
}
