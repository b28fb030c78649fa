/* adder._mqtt: the queue, the session and the inbox in a file of the drive
 *
 * A message of QoS 1 or 2 that came is stored in the write that remembers its id, before the broker is told,
 * and erased once the program needs it no more. So none is lost; one that the program had in its hands when
 * power went comes to it again, marked as a duplicate. */
#include "python/modules/mqtt_int.h"

/* The file's name to the port; null with an exception: the program may not write there. */
static py_t name_of(py_t path)
{
    py_t drive = py_import("adder_vm.drive");
    if (py_null(drive) || py_null(py_call_method(drive, "require_writable", NULL, 0)))
        return PY_NULL;
    return py_call_method(drive, "host_path", &path, 1);
}

static bool failed(adder_err_t err, const char *path)
{
    switch (err) {
    case ADDER_ERR_ARG:
        return py_fail(py_raise(PY_ValueError, "store_size must be a multiple of 8192"));
    case ADDER_ERR_IN_USE:
        return py_fail(py_raise(PY_ValueError, "store: %s is in use", path));
    case ADDER_ERR_NO_FILE:
        return py_fail(py_raise_errno(2, "No such file/directory"));
    default:
        return py_fail(py_raise_err(err, "store"));
    }
}

bool mqtt_store_open(mqtt_core_t *k, py_t path, uint32_t size, adder_store_t *out)
{
    const adder_mcu_file_ops_t *files = k->mcu->files;
    const char *given, *name;
    if (files == NULL)
        return py_fail(py_raise(PY_NotImplementedError, "this board has no files for a store"));
    if (!py_to_str(path, &given, NULL))
        return false;
    py_t host = name_of(path);
    if (py_null(host) || !py_to_str(host, &name, NULL))
        return false;
    adder_err_t err = files->open_flash(k->mcu->ctx, name, size, &k->flash);
    if (err == ADDER_OK)
        err = adder_store_log_open(&k->log, k->flash);
    if (err != ADDER_OK)
        return failed(err, given);
    *out = adder_store_log(&k->log);
    return true;
}

/* Keys of the inbox: their highest byte is not the client's, the others count. */
enum { KEY_INBOX = 1, KEY_COUNT = 0xffffff, ERASE_MOST = 8 };

static uint32_t key_of(uint32_t number)
{
    return (uint32_t)KEY_INBOX << 24 | (number & KEY_COUNT);
}

/* The next one kept in the inbox, oldest first. */
static bool next_kept(adder_store_t store, uint32_t *cursor, uint32_t *key, size_t *len)
{
    while (store.ops->next(store.ctx, cursor, key, len) == ADDER_OK) {
        if (*key >> 24 == KEY_INBOX)
            return true;
    }
    return false;
}

bool mqtt_store_load(mqtt_core_t *k, adder_store_t store)
{
    uint32_t cursor = 0, key, n = 0;
    size_t len, sum = 0;
    while (next_kept(store, &cursor, &key, &len))
        sum += len;
    if (sum > k->inbox.cap) /* it was larger when they came */
        return py_fail(py_raise(PY_ValueError, "The store holds more than the inbox: %zu bytes.", sum));
    for (cursor = 0; next_kept(store, &cursor, &key, &len); n++) {
        const adder_err_t err = mqtt_inbox_load(&k->inbox, store, key, len);
        if (err != ADDER_OK)
            return py_fail(py_raise_err(err, "store"));
        if (n == 0)
            k->kept.first = key & KEY_COUNT;
        k->kept.next = key + 1;
    }
    k->kept.taken = k->kept.first;
    atomic_store(&k->kept.told, k->kept.first);
    return true;
}

uint32_t mqtt_store_key(const mqtt_core_t *k)
{
    return key_of(k->kept.next);
}

adder_err_t mqtt_store_keep(mqtt_core_t *k)
{
    k->kept.change = mqtt_inbox_value(&k->inbox, key_of(k->kept.next));
    k->kept.writes = k->client.kept;
    return adder_mqtt_client_keep(&k->client, &k->kept.change, 1);
}

void mqtt_store_settle(mqtt_core_t *k)
{
    if (k->inbox.pending == 0)
        return;
    const bool stored = k->client.kept != k->kept.writes;
    mqtt_inbox_commit(&k->inbox, stored);
    k->kept.next += stored;
    k->news += stored;
}

void mqtt_store_forget(mqtt_core_t *k)
{
    const adder_store_t store = adder_store_log(&k->log);
    uint32_t left = (atomic_load(&k->kept.told) - k->kept.first) & KEY_COUNT;
    while (left > 0) {
        adder_store_change_t changes[ERASE_MOST];
        size_t n = 0;
        for (; n < ERASE_MOST && n < left; n++)
            changes[n] = (adder_store_change_t){.key = key_of(k->kept.first + (uint32_t)n), .erase = true};
        if (store.ops->write(store.ctx, changes, n) != ADDER_OK)
            return; /* tried again when the client is next looked after */
        k->kept.first += (uint32_t)n;
        left -= (uint32_t)n;
    }
}

void mqtt_store_close(mqtt_core_t *k)
{
    if (k->flash != NULL)
        k->mcu->files->close_flash(k->mcu->ctx, k->flash);
    k->flash = NULL;
}
