//! The example `main_loop`: a message queue in another library's main loop.
#![cfg(target_os = "linux")]

#[path = "../examples/main_loop/server.rs"]
mod server;

#[test]
fn an_echo_server_in_another_main_loop() {
    let (clients, messages) = (8, 60);
    let report = server::run(clients, messages).unwrap();
    assert_eq!(report.clients, clients);
    // The server counts what it sent: all that the clients checked, which is more than one byte for each message.
    assert!(report.bytes > clients * messages, "{report:?}");
}
