/* An echo server over libuv.
 *
 * Each thread has a loop of its own. What comes is read into a buffer that all connections of the loop share, and is
 * written from there at once (uv_try_write). Only what the socket does not take is copied, and nothing more is read for
 * that connection until it has gone. So an idle connection holds no buffer.
 *
 *     cc -O2 -pthread uv_echo.c -luv -o uv-echo */
#define _GNU_SOURCE
#include "peer.h"
#include <uv.h>

struct connection {
    uv_tcp_t tcp;
    uv_write_t write;
    /* What is being written, if the socket did not take it at once. */
    char *unsent;
};

/* One for each loop. */
struct scratch {
    char bytes[64 * 1024];
};

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer);

static void on_closed(uv_handle_t *handle) {
    free(handle);
}

static void finish(struct connection *connection) {
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
    struct scratch *scratch = handle->loop->data;
    (void)wanted;
    *buffer = uv_buf_init(scratch->bytes, sizeof scratch->bytes);
}

static void on_written(uv_write_t *request, int status) {
    struct connection *connection = request->data;
    free(connection->unsent);
    if (status < 0 || uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_read) < 0) finish(connection);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    struct connection *connection = (struct connection *)stream;
    if (count == 0) return;
    if (count < 0) {
        finish(connection);
        return;
    }
    uv_buf_t all = uv_buf_init(buffer->base, (unsigned)count);
    int sent = uv_try_write(stream, &all, 1);
    if (sent == count) return;
    if (sent == UV_EAGAIN) sent = 0;
    if (sent < 0) {
        finish(connection);
        return;
    }
    size_t left = (size_t)(count - sent);
    connection->unsent = malloc(left);
    if (!connection->unsent) peer_fail("malloc", ENOMEM);
    memcpy(connection->unsent, buffer->base + sent, left);
    uv_buf_t rest = uv_buf_init(connection->unsent, (unsigned)left);
    connection->write.data = connection;
    uv_read_stop(stream);
    if (uv_write(&connection->write, stream, &rest, 1, on_written) < 0) {
        free(connection->unsent);
        finish(connection);
    }
}

/* If there are no descriptors libuv itself closes those who wait. */
static void on_connection(uv_stream_t *listener, int status) {
    if (status < 0) return;
    struct connection *connection = malloc(sizeof *connection);
    if (!connection) peer_fail("malloc", ENOMEM);
    uv_tcp_init(listener->loop, &connection->tcp);
    uv_stream_t *stream = (uv_stream_t *)&connection->tcp;
    if (uv_accept(listener, stream) < 0 || uv_read_start(stream, on_room, on_read) < 0) finish(connection);
}

static void serve(int fd) {
    uv_loop_t loop;
    uv_tcp_t listener;
    struct scratch *scratch = malloc(sizeof *scratch);
    uv_loop_init(&loop);
    loop.data = scratch;
    uv_tcp_init(&loop, &listener);
    int error = uv_tcp_open(&listener, fd);
    if (!error) error = uv_listen((uv_stream_t *)&listener, 65535, on_connection);
    if (error) peer_fail("listen", -error);
    uv_run(&loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv) {
    return peer_main(argc, argv, serve);
}
