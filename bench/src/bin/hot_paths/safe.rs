//! The hot paths through the safe crate.

use pentaport::completion_port::{CompletionPort, Operation, Started};
use pentaport::socket::Socket;

use crate::Meter;
use crate::peer::{Listener, MESSAGE};

/// A receive that pends, its packet, and a send that is done at once.
pub(crate) fn port_receive_send(meter: &mut Meter) {
    let listener = Listener::bind();
    let socket = Socket::tcp(&listener.address()).expect("a socket");
    socket.connect(&listener.address()).expect("somebody listens");
    let mut peer = listener.accept();
    let port = CompletionPort::<usize, ()>::new(1).expect("a port");
    let mut socket = port.associate(socket, 1).expect("not associated yet");
    socket.skip_completion_on_success().expect("an open socket");
    let mut idle = Some(Operation::new(vec![0; 4096], ()));
    meter.run(|meter| {
        meter.measure(&mut || {
            let operation = idle.take().expect("nothing is under way");
            assert!(socket.receive(operation).expect("connected").is_pending());
        });
        peer.write();
        meter.measure(&mut || {
            let packet = port.get(None).expect("an open port").expect("a packet");
            let count = packet.result.expect("a message");
            let socket = packet.source.socket().expect("open still");
            let Ok(Started::Done(operation, sent)) = socket.send(packet.operation.with_range(..count)) else {
                panic!("a send that is done at once")
            };
            assert_eq!(sent, MESSAGE.len());
            idle = Some(operation.with_range(..));
        });
        peer.read();
    });
}

/// A packet of the program's own with a socket's key, and its get.
pub(crate) fn posted(meter: &mut Meter) {
    let port = CompletionPort::<usize, ()>::new(1).expect("a port");
    let socket = Socket::tcp(&"127.0.0.1:0".parse().expect("an address")).expect("a socket");
    let socket = port.associate(socket, 1).expect("not associated yet");
    let mut idle = Some(Operation::new(Vec::new(), ()));
    meter.run(|meter| {
        meter.measure(&mut || {
            let operation = idle.take().expect("nothing is under way");
            socket.post(1, operation).expect("an open port");
            idle = Some(port.get(None).expect("an open port").expect("a packet").operation);
        });
    });
}
