/* time, as CircuitPython has it (`_adder_time`: CPython's own is under the other name) */
#include "python/modules/time_struct.h"

#include <math.h>

/* ---- calendar ---- */

enum { DAY_S = 86400 };
static const int64_t YEAR_2000_S = 946684800;

static const char *const fields[] = {"tm_year", "tm_mon",  "tm_mday", "tm_hour",  "tm_min",
                                     "tm_sec",  "tm_wday", "tm_yday", "tm_isdst", NULL};
const py_namedtuple_t time_struct = {"time", "struct_time", fields, true};

/* Days since 1970-01-01 of the proleptic Gregorian calendar, counted from a March-based year so that
 * the leap day comes last; month 1..12. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

py_t time_from_seconds(int64_t seconds)
{
    int64_t days = seconds / DAY_S, rest = seconds % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t mp = (5 * day_of_year + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    int64_t week_day = ((days % 7) + 10) % 7; /* 1970-01-01 was a Thursday; Monday is 0 */
    const py_t values[] = {py_int(year),
                           py_int(month),
                           py_int(day_of_year - (153 * mp + 2) / 5 + 1),
                           py_int(rest / 3600),
                           py_int(rest / 60 % 60),
                           py_int(rest % 60),
                           py_int(week_day),
                           py_int(days - days_of(year, 1, 1) + 1),
                           py_int(-1)};
    return py_namedtuple(&time_struct, values);
}

bool time_in_range(int64_t seconds)
{
    return seconds >= YEAR_2000_S ||
           py_fail(py_raise(PY_OverflowError, "timestamp out of range for platform time_t"));
}

bool time_to_seconds(py_t v, int64_t *out)
{
    size_t n = 0;
    if (!py_is_tuple(v) || !py_len(v, &n) || n != 9)
        return py_fail(py_raise(PY_TypeError, "Tuple or struct_time argument required"));
    int64_t t[6];
    for (size_t i = 0; i < 6; i++) {
        if (!py_to_int(py_item_at(v, i), &t[i]))
            return false;
        if (t[i] < -1000000 || t[i] > 1000000)
            return py_fail(py_raise(PY_OverflowError, "timestamp out of range for platform time_t"));
    }
    int64_t month0 = t[1] - 1, year = t[0] + month0 / 12;
    month0 %= 12;
    if (month0 < 0) {
        month0 += 12;
        year--;
    }
    *out = (days_of(year, month0 + 1, 1) + t[2] - 1) * DAY_S + t[3] * 3600 + t[4] * 60 + t[5];
    return time_in_range(*out);
}

/* ---- the clock ---- */

static uint64_t now_us(void)
{
    const adder_mcu_t *mcu = py_mcu();
    return mcu->sys->now_us(mcu->ctx);
}

static py_t m_monotonic(const py_val_t *a)
{
    (void)a;
    return py_float((double)now_us() / 1e6);
}

static py_t m_monotonic_ns(const py_val_t *a)
{
    (void)a;
    return py_uint(now_us() * 1000u);
}

static const py_arg_t sleep_args[] = {PY_REQ_FLOAT("seconds"), PY_END};

static py_t m_sleep(const py_val_t *a)
{
    if (!(a[0].f >= 0)) /* NaN too */
        return py_raise(PY_ValueError, "sleep length must be non-negative");
    uint64_t us = a[0].f > 1e12 ? UINT64_MAX : (uint64_t)(a[0].f * 1e6);
    return py_wait_us(us) ? py_none() : PY_NULL;
}

/* rtc.set_time_source()'s object, else the chip's clock. */
static bool clock_seconds(int64_t *out)
{
    py_t source = py_root(PY_ROOT_RTC_SOURCE);
    const adder_mcu_t *mcu = py_mcu();
    if (!py_null(source)) {
        py_t when = py_attr(source, "datetime");
        return !py_null(when) && time_to_seconds(when, out);
    }
    if (mcu->sys->rtc_get == NULL)
        return py_fail(py_raise(PY_RuntimeError, "RTC is not supported on this board"));
    *out = mcu->sys->rtc_get(mcu->ctx);
    return true;
}

static py_t m_time(const py_val_t *a)
{
    (void)a;
    int64_t seconds;
    return clock_seconds(&seconds) ? py_int(seconds) : PY_NULL;
}

static const py_arg_t localtime_args[] = {PY_OPT_OBJ("secs"), PY_END};

static py_t m_localtime(const py_val_t *a)
{
    int64_t seconds;
    double fraction;
    if (!a[0].given) {
        if (!clock_seconds(&seconds))
            return PY_NULL;
    } else if (py_is_float(a[0].obj)) {
        if (!py_to_float(a[0].obj, &fraction))
            return PY_NULL;
        if (!(fabs(fraction) < 1e15))
            return py_raise(PY_OverflowError, "timestamp out of range for platform time_t");
        seconds = (int64_t)fraction;
    } else if (!py_to_int(a[0].obj, &seconds)) {
        return PY_NULL;
    }
    if (seconds > INT64_C(253402300799)) /* the end of year 9999 */
        return py_raise(PY_OverflowError, "timestamp out of range for platform time_t");
    return time_in_range(seconds) ? time_from_seconds(seconds) : PY_NULL;
}

static const py_arg_t mktime_args[] = {PY_REQ_OBJ("t"), PY_END};

static py_t m_mktime(const py_val_t *a)
{
    int64_t seconds;
    return time_to_seconds(a[0].obj, &seconds) ? py_int(seconds) : PY_NULL;
}

static const py_function_t functions[] = {{"monotonic", m_monotonic, NULL, NULL},
                                          {"monotonic_ns", m_monotonic_ns, NULL, NULL},
                                          {"sleep", m_sleep, sleep_args, NULL},
                                          {"time", m_time, NULL, NULL},
                                          {"localtime", m_localtime, localtime_args, NULL},
                                          {"mktime", m_mktime, mktime_args, NULL},
                                          PY_END};
static const py_namedtuple_t *const tuples[] = {&time_struct, NULL};
const py_module_t time_module = {.name = "_adder_time", .functions = functions, .namedtuples = tuples};
