/* Sockets of any make, for engines that want a stream: the native ones' own bytes, and calls of the methods
 * of whatever object a program's pool gave. What requests and minimqtt have in common.
 *
 *     if (!socket_native_stream(socket, &stream))       // moved in the pump, without the interpreter
 *         stream = (adder_stream_t){&my_ops, my_socket}; // whose calls come here:
 *     ok = socket_object_send(socket, bytes, len, &n);
 *     ok = socket_object_recv(owner, &my->buffer, socket, buf, cap, &n);
 *
 * An object needs send(), and recv_into() or recv(). */
#ifndef ADDER_PYTHON_SOCKET_OBJECT_H
#define ADDER_PYTHON_SOCKET_OBJECT_H

#include "adder/stream.h"
#include "python/layer/py.h"

/* Bytes that one send() or recv_into() of an object is given: what an ESP32 takes at most. */
enum { SOCKET_PIECE = 4000 };

/* As boards number them. */
enum { SOCKET_EIO = 5, SOCKET_EAGAIN = 11, SOCKET_ECONNRESET = 104, SOCKET_ETIMEDOUT = 116 };

/* The stream of a connected native socket, of native TLS, or of the TLS that a coprocessor does; false,
 * without an exception, for anything else. Its calls want the pump's lock; keep the object. */
bool socket_native_stream(py_t socket, adder_stream_t *out);

/* send() of 1..len bytes. None means all of them; 0 or less is OSError(EIO). False with the exception. */
bool socket_object_send(py_t socket, const uint8_t *bytes, size_t len, size_t *n_out);
/* recv_into(), through a bytearray kept in `buffer`, a field of `owner`; or recv(). 0: none, or the end. */
bool socket_object_recv(py_t owner, py_field_t *buffer, py_t socket, uint8_t *buf, size_t cap, size_t *n_out);

/* Whether the pending exception is OSError(number): it is cleared then. */
bool socket_error_is(int64_t number);

#endif
