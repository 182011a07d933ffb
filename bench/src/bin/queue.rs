//! `queue [--runs N] [--packets N] [--case NAME] [--queue NAME] [--json]`: a completion port as a queue between threads,
//! beside `crossbeam-channel`.
//!
//! Each run passes numbers from producers to consumers and checks that each arrived once; the contenders take turns in
//! one process, each round with another first, so that what slows the machine slows all. Ping-pong passes one packet to and
//! fro between two threads over two queues. What counts is the time per packet, and its ratio to that of a channel in the
//! same round: the unbounded one of numbers, and for the safe crate, whose packets bring an allocation along, the unbounded
//! one of boxes.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("queue: the engine exists on Linux only");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::mem::MaybeUninit;
    use std::process::ExitCode;
    use std::ptr::{null, null_mut};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Instant;

    use crossbeam_channel::{Receiver, Sender};
    use pentaport::completion_port::{CompletionPort, Operation, PortSocket};
    use pentaport::socket::Socket;
    use winsock::*;

    /// As many as GetQueuedCompletionStatusEx takes in one call here.
    const BATCH: usize = 64;

    /// What ends a consumer.
    const STOP: usize = 0;

    /// A queue of numbers, of which each thread has a handle.
    trait Queue: Send + Sync {
        fn put(&self, value: usize);

        /// At least one value, each given to `each`.
        fn take(&self, each: &mut dyn FnMut(usize));
    }

    type Make = fn(consumers: u32) -> Arc<dyn Queue>;

    struct Contender {
        name: &'static str,
        /// The contender to which it has a ratio.
        beside: &'static str,
        make: Make,
    }

    const NUMBERS: &str = "crossbeam unbounded";
    const BOXES: &str = "crossbeam unbounded, boxes";

    const CONTENDERS: [Contender; 8] = [
        Contender { name: NUMBERS, beside: NUMBERS, make: |_| Arc::new(Channel::new(crossbeam_channel::unbounded())) },
        Contender {
            name: "crossbeam bounded(1024)",
            beside: NUMBERS,
            make: |_| Arc::new(Channel::new(crossbeam_channel::bounded(1024))),
        },
        Contender { name: "port, raw", beside: NUMBERS, make: |consumers| Arc::new(RawPort::new(consumers)) },
        Contender {
            name: "port, raw, in batches",
            beside: NUMBERS,
            make: |consumers| Arc::new(BatchPort(RawPort::new(consumers))),
        },
        Contender {
            name: "port, raw, of a socket",
            beside: NUMBERS,
            make: |consumers| Arc::new(SocketPort::new(consumers)),
        },
        Contender { name: BOXES, beside: BOXES, make: |_| Arc::new(BoxChannel::new()) },
        Contender { name: "port, safe", beside: BOXES, make: |consumers| Arc::new(SafePort::new(consumers)) },
        Contender {
            name: "port, safe, in batches",
            beside: BOXES,
            make: |consumers| Arc::new(SafeBatchPort(SafePort::new(consumers))),
        },
    ];

    struct Channel(Sender<usize>, Receiver<usize>);

    impl Channel {
        fn new((sender, receiver): (Sender<usize>, Receiver<usize>)) -> Channel {
            Channel(sender, receiver)
        }
    }

    impl Queue for Channel {
        fn put(&self, value: usize) {
            self.0.send(value).expect("a receiver");
        }

        fn take(&self, each: &mut dyn FnMut(usize)) {
            each(self.1.recv().expect("a sender"));
        }
    }

    /// What an operation of the safe crate has for the program: a buffer and a context, in an allocation for each.
    struct Message {
        _buffer: Vec<u8>,
        context: usize,
    }

    struct BoxChannel(Sender<Box<Message>>, Receiver<Box<Message>>);

    impl BoxChannel {
        fn new() -> BoxChannel {
            let (sender, receiver) = crossbeam_channel::unbounded();
            BoxChannel(sender, receiver)
        }
    }

    impl Queue for BoxChannel {
        fn put(&self, value: usize) {
            self.0.send(Box::new(Message { _buffer: Vec::new(), context: value })).expect("a receiver");
        }

        fn take(&self, each: &mut dyn FnMut(usize)) {
            each(self.1.recv().expect("a sender").context);
        }
    }

    /// The number is the packet's key.
    struct RawPort(usize);

    impl RawPort {
        fn new(consumers: u32) -> RawPort {
            // SAFETY: asks for a new port; no handle is passed.
            RawPort(unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, consumers) } as usize)
        }
    }

    impl Drop for RawPort {
        fn drop(&mut self) {
            // SAFETY: the handle is ours.
            unsafe { CloseHandle(self.0 as HANDLE) };
        }
    }

    impl Queue for RawPort {
        fn put(&self, value: usize) {
            // SAFETY: a null OVERLAPPED is only passed through.
            let posted = unsafe { PostQueuedCompletionStatus(self.0 as HANDLE, 0, value, null()) };
            // Not `assert_ne`: the value would go through memory, and cost as much as a lock.
            assert!(posted != FALSE);
        }

        fn take(&self, each: &mut dyn FnMut(usize)) {
            let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
            let port = self.0 as HANDLE;
            // SAFETY: the places live through the call.
            let got = unsafe { GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, INFINITE) };
            assert!(got != FALSE);
            each(key);
        }
    }

    struct BatchPort(RawPort);

    impl Queue for BatchPort {
        fn put(&self, value: usize) {
            self.0.put(value);
        }

        fn take(&self, each: &mut dyn FnMut(usize)) {
            let port = self.0.0 as HANDLE;
            let mut entries = [const { MaybeUninit::<OVERLAPPED_ENTRY>::uninit() }; BATCH];
            let (places, mut count) = (entries.as_mut_ptr().cast(), 0);
            // SAFETY: the array has room for as many entries as it is said to have.
            let got = unsafe { GetQueuedCompletionStatusEx(port, places, BATCH as u32, &mut count, INFINITE, FALSE) };
            assert!(got != FALSE);
            // SAFETY: the call has filled as many.
            entries[..count as usize].iter().for_each(|entry| each(unsafe { entry.assume_init_ref() }.lpCompletionKey));
        }
    }

    /// The port is that of a socket, too, on which a receive is pending.
    struct SocketPort {
        port: RawPort,
        socket: SOCKET,
        /// Of the receive.
        overlapped: *mut OVERLAPPED,
    }

    // SAFETY: the pointer is used by the drop alone.
    unsafe impl Send for SocketPort {}
    // SAFETY: as above.
    unsafe impl Sync for SocketPort {}

    impl SocketPort {
        fn new(consumers: u32) -> SocketPort {
            let port = RawPort::new(consumers);
            let overlapped = Box::into_raw(Box::<OVERLAPPED>::default());
            let nothing = WSABUF { len: 0, buf: null_mut() };
            let mut address = SOCKADDR_IN { sin_family: AF_INET, ..Default::default() };
            address.sin_addr.S_un.S_addr = INADDR_LOOPBACK.to_be();
            let mut data = WSADATA::default();
            // SAFETY: the places live through the calls; the OVERLAPPED lives until the socket is closed.
            let socket = unsafe {
                assert_eq!(WSAStartup(0x0202, &mut data), 0);
                let socket = WSASocketW(AF_INET.into(), SOCK_DGRAM, 0, null(), 0, WSA_FLAG_OVERLAPPED);
                assert_eq!(bind(socket, (&raw const address).cast(), size_of_val(&address) as i32), 0);
                assert!(!CreateIoCompletionPort(socket as HANDLE, port.0 as HANDLE, 0, 0).is_null());
                let mut flags = 0;
                let pending = WSARecv(socket, &nothing, 1, null_mut(), &mut flags, overlapped, None);
                assert_eq!((pending, WSAGetLastError()), (SOCKET_ERROR, WSA_IO_PENDING));
                socket
            };
            SocketPort { port, socket, overlapped }
        }
    }

    impl Drop for SocketPort {
        fn drop(&mut self) {
            // SAFETY: the socket is ours; closed, it is done with the OVERLAPPED, whose packet nobody takes.
            unsafe {
                closesocket(self.socket);
                drop(Box::from_raw(self.overlapped));
            }
        }
    }

    impl Queue for SocketPort {
        fn put(&self, value: usize) {
            self.port.put(value);
        }

        fn take(&self, each: &mut dyn FnMut(usize)) {
            self.port.take(each);
        }
    }

    /// The number is the context of an operation, which is made for the packet and freed with it.
    struct SafePort {
        port: CompletionPort<(), usize>,
        socket: PortSocket<(), usize>,
    }

    impl SafePort {
        fn new(consumers: u32) -> SafePort {
            let port = CompletionPort::new(consumers).expect("a port");
            let socket = Socket::tcp(&"127.0.0.1:0".parse().expect("an address")).expect("a socket");
            let socket = port.associate(socket, ()).expect("not associated yet");
            SafePort { port, socket }
        }
    }

    impl Queue for SafePort {
        fn put(&self, value: usize) {
            self.socket.post(0, Operation::new(Vec::new(), value)).expect("an open port");
        }

        fn take(&self, each: &mut dyn FnMut(usize)) {
            let packet = self.port.get(None).expect("an open port").expect("a packet");
            each(*packet.operation.context());
        }
    }

    struct SafeBatchPort(SafePort);

    impl Queue for SafeBatchPort {
        fn put(&self, value: usize) {
            self.0.put(value);
        }

        fn take(&self, each: &mut dyn FnMut(usize)) {
            let mut packets = Vec::with_capacity(BATCH);
            self.0.port.get_many(&mut packets, BATCH, None).expect("an open port");
            packets.iter().for_each(|packet| each(*packet.operation.context()));
        }
    }

    /// Nanoseconds per packet.
    fn stream(queue: &Arc<dyn Queue>, threads: usize, packets: usize) -> f64 {
        let each = packets / threads;
        let sum = Arc::new(AtomicU64::new(0));
        let start = Instant::now();
        let consumers: Vec<_> = (0..threads)
            .map(|_| {
                let (queue, sum) = (queue.clone(), sum.clone());
                thread::spawn(move || {
                    let mut mine = 0;
                    let mut stops = 0;
                    while stops == 0 {
                        queue.take(&mut |value| match value {
                            STOP => stops += 1,
                            value => mine += value as u64,
                        });
                    }
                    // A batch may hold the stop of another.
                    (1..stops).for_each(|_| queue.put(STOP));
                    sum.fetch_add(mine, Ordering::Relaxed);
                })
            })
            .collect();
        let producers: Vec<_> = (0..threads)
            .map(|_| {
                let queue = queue.clone();
                thread::spawn(move || (1..=each).for_each(|value| queue.put(value)))
            })
            .collect();
        producers.into_iter().for_each(|thread| thread.join().expect("no panic"));
        (0..threads).for_each(|_| queue.put(STOP));
        consumers.into_iter().for_each(|thread| thread.join().expect("no panic"));
        let time = start.elapsed();
        assert_eq!(sum.load(Ordering::Relaxed), (threads * each * (each + 1) / 2) as u64, "packets lost or doubled");
        time.as_nanos() as f64 / (threads * each) as f64
    }

    /// Nanoseconds per round trip.
    fn ping_pong(there: &Arc<dyn Queue>, back: &Arc<dyn Queue>, rounds: usize) -> f64 {
        let other = {
            let (there, back) = (there.clone(), back.clone());
            thread::spawn(move || {
                for _ in 0..rounds {
                    there.take(&mut |value| back.put(value));
                }
            })
        };
        let start = Instant::now();
        for round in 1..=rounds {
            there.put(round);
            back.take(&mut |value| assert_eq!(value, round));
        }
        let time = start.elapsed();
        other.join().expect("no panic");
        time.as_nanos() as f64 / rounds as f64
    }

    struct Case {
        name: &'static str,
        unit: &'static str,
        run: fn(Make, usize) -> f64,
    }

    const CASES: [Case; 3] = [
        Case { name: "1:1", unit: "ns per packet", run: |make, packets| stream(&make(1), 1, packets) },
        Case { name: "2:2", unit: "ns per packet", run: |make, packets| stream(&make(2), 2, packets) },
        Case {
            name: "ping-pong",
            unit: "ns per round trip",
            run: |make, packets| ping_pong(&make(1), &make(1), packets / 10),
        },
    ];

    /// Median, least and greatest.
    struct Spread(f64, f64, f64);

    impl Spread {
        fn of(mut values: Vec<f64>) -> Spread {
            values.sort_by(f64::total_cmp);
            let middle = values.len() / 2;
            let median = match values.len() % 2 {
                0 => (values[middle - 1] + values[middle]) / 2.0,
                _ => values[middle],
            };
            Spread(median, values[0], values[values.len() - 1])
        }
    }

    pub(super) fn main() -> ExitCode {
        let (mut runs, mut packets, mut json) = (15, 300_000, false);
        let (mut only_case, mut only_queue) = (None, None);
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let number = match argument.as_str() {
                "--json" => {
                    json = true;
                    continue;
                }
                "--runs" => &mut runs,
                "--packets" => &mut packets,
                "--case" | "--queue" => {
                    let only = if argument == "--case" { &mut only_case } else { &mut only_queue };
                    *only = arguments.next();
                    continue;
                }
                _ => return usage(),
            };
            match arguments.next().and_then(|value| value.parse().ok()) {
                Some(value) if value > 0 => *number = value,
                _ => return usage(),
            }
        }
        let is_asked = |only: &Option<String>, name: &str| only.as_ref().is_none_or(|only| only == name);
        // For a profile of one: it may have no ratio then.
        let contenders: Vec<_> = CONTENDERS.iter().filter(|contender| is_asked(&only_queue, contender.name)).collect();
        let mut cases = Vec::new();
        for case in CASES.iter().filter(|case| is_asked(&only_case, case.name)) {
            let mut times = vec![Vec::new(); contenders.len()];
            // The first round warms up and is not counted.
            for run in 0..=runs {
                for turn in (0..contenders.len()).map(|place| (place + run) % contenders.len()) {
                    let time = (case.run)(contenders[turn].make, packets);
                    if run > 0 {
                        times[turn].push(time);
                    }
                }
            }
            let subjects = contenders.iter().copied().zip(times);
            cases.push((case, subjects.collect::<Vec<_>>()));
        }
        match json {
            true => print_json(runs, packets, &cases),
            false => print_table(runs, packets, &cases),
        }
        ExitCode::SUCCESS
    }

    /// A case, and the times of each contender in it.
    type Measured<'a> = (&'a Case, Vec<(&'a Contender, Vec<f64>)>);

    fn print_table(runs: usize, packets: usize, cases: &[Measured<'_>]) {
        println!("{runs} alternating runs of {packets} packets (ping-pong: a tenth of it); median (least–greatest)\n");
        println!("| threads | queue | time | × | of |\n|---|---|---|---|---|");
        for (case, subjects) in cases {
            for (contender, own) in subjects {
                let beside = subjects.iter().find(|(other, _)| other.name == contender.beside);
                let ratio = beside.map_or_else(String::new, |(_, beside)| {
                    let Spread(median, least, greatest) =
                        Spread::of(own.iter().zip(beside).map(|(own, beside)| own / beside).collect());
                    format!("{median:.2} ({least:.2}–{greatest:.2})")
                });
                let Spread(median, least, greatest) = Spread::of(own.clone());
                let time = format!("{median:.0} ({least:.0}–{greatest:.0}) {}", case.unit);
                println!("| {} | {} | {time} | {ratio} | {} |", case.name, contender.name, contender.beside);
            }
        }
    }

    /// The times of every round, so that any ratio can be computed.
    fn print_json(runs: usize, packets: usize, cases: &[Measured<'_>]) {
        let subject = |(contender, times): &(&Contender, Vec<f64>)| {
            let times: Vec<String> = times.iter().map(|time| format!("{time:.2}")).collect();
            let Contender { name, beside, .. } = contender;
            format!("{{\"name\": \"{name}\", \"beside\": \"{beside}\", \"times\": [{}]}}", times.join(", "))
        };
        let case = |(case, subjects): &Measured<'_>| {
            let subjects: Vec<String> = subjects.iter().map(subject).collect();
            let Case { name, unit, .. } = case;
            format!("{{\"name\": \"{name}\", \"unit\": \"{unit}\", \"subjects\": [\n{}]}}", subjects.join(",\n"))
        };
        let cases: Vec<String> = cases.iter().map(case).collect();
        println!("{{\"runs\": {runs}, \"packets\": {packets}, \"cases\": [\n{}]}}", cases.join(",\n"));
    }

    fn usage() -> ExitCode {
        eprintln!("usage: queue [--runs N] [--packets N] [--case NAME] [--queue NAME] [--json]");
        ExitCode::from(2)
    }
}
