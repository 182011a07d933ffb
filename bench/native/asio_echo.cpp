// An echo server over Asio (the one without Boost).
//
// Each thread has an io_context of its own, without locks, since nothing is shared. A session reads into its own buffer:
// a read that fills less than it is taken for the end of what is there, so the next one waits without asking. What was
// read is written at once, and only what the socket does not take by an asynchronous write. (Waiting for readability
// instead, with one buffer for all, costs an epoll_ctl for each message. Memory that was never read into costs nothing.)
//
//     c++ -std=c++17 -O2 -pthread asio_echo.cpp -o asio-echo
#include "peer.h"
#include <asio.hpp>
#include <chrono>

using asio::ip::tcp;
using executor = asio::io_context::executor_type;

class session {
public:
    using socket_type = asio::basic_stream_socket<tcp, executor>;

    explicit session(socket_type socket) : socket(std::move(socket)) {
        asio::error_code ignored;
        this->socket.non_blocking(true, ignored);
    }

    void read() {
        socket.async_read_some(asio::buffer(buffer), [this](asio::error_code error, std::size_t count) {
            if (error) return delete this;
            write(count);
        });
    }

private:
    void write(std::size_t count) {
        asio::error_code error;
        std::size_t sent = socket.write_some(asio::buffer(buffer, count), error);
        if (error == asio::error::would_block) error = {};
        if (error) return delete this;
        if (sent == count) return read();
        auto rest = asio::buffer(buffer + sent, count - sent);
        asio::async_write(socket, rest, [this](asio::error_code error, std::size_t) {
            if (error) return delete this;
            read();
        });
    }

    socket_type socket;
    char buffer[16 * 1024];
};

class server {
public:
    server(asio::io_context &context, int listener) : acceptor(context, tcp::v4(), listener), later(context) {}

    void accept() {
        acceptor.async_accept([this](asio::error_code error, session::socket_type socket) {
            if (!error) (new session(std::move(socket)))->read();
            if (error != asio::error::no_descriptors) return accept();
            later.expires_after(std::chrono::milliseconds(50));
            later.async_wait([this](asio::error_code) { accept(); });
        });
    }

private:
    asio::basic_socket_acceptor<tcp, executor> acceptor;
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, executor> later;
};

static void serve(int listener) {
    asio::io_context context(ASIO_CONCURRENCY_HINT_UNSAFE);
    server server(context, listener);
    server.accept();
    context.run();
}

int main(int argc, char **argv) {
    return peer_main(argc, argv, serve);
}
