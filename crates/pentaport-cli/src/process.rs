//! What a process has used, and what it may have open. What `sysinfo` and `rlimit` do not hide of the systems'
//! differences is in this file.

use mio::net::TcpStream;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;
use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

/// On Linux a receive that fills less than its buffer has drained the socket, and a new edge tells
/// when there is more, unless the end of the stream had already come. mio promises it nowhere, so
/// other systems receive until WouldBlock.
pub(crate) const SHORT_RECEIVE_DRAINS: bool = cfg!(target_os = "linux");

/// What a connection takes that a process has a limit of.
pub(crate) const DESCRIPTORS: &str = if cfg!(windows) { "handles" } else { "descriptors" };

/// The name of that limit.
pub(crate) const LIMIT: &str = if cfg!(windows) { "for each process" } else { "RLIMIT_NOFILE, hard" };

/// Handles that Windows gives a process at most. Memory mostly ends sooner.
const MOST_HANDLES: u64 = 1 << 24;

/// Raises this process's limit as far as `needed`, if it can be raised, and returns what is allowed now. It is left as it
/// is if it cannot be read or set: then the connections themselves will tell.
pub(crate) fn raise_limit(needed: u64) -> u64 {
    match rlimit::increase_nofile_limit(needed) {
        Ok(allowed) if cfg!(windows) => allowed.min(MOST_HANDLES),
        Ok(allowed) => allowed,
        Err(_) => u64::MAX,
    }
}

/// What follows the advice to have fewer connections.
pub(crate) fn how_to_raise_limit(needed: u64) -> String {
    if cfg!(windows) {
        return String::new();
    }
    format!(
        ", or raise the hard limit: `ulimit -Hn {needed}` as root, LimitNOFILE= in a systemd unit, or `nofile` in \
         /etc/security/limits.conf"
    )
}

/// What to do when a server lacks descriptors.
pub(crate) const MORE_DESCRIPTORS: &str = if cfg!(windows) {
    "fewer connections: a process has 16,777,216 handles at most"
} else {
    "raise the hard limit: `ulimit -Hn 65536` as root, LimitNOFILE= in a systemd unit, or `nofile` in \
     /etc/security/limits.conf"
};

/// What to do when a server lacks threads.
pub(crate) const MORE_THREADS: &str = if cfg!(windows) {
    "fewer --threads, more memory, or another --model than thread-per-client"
} else {
    "raise the limit (`ulimit -u`, TasksMax= in a systemd unit, or memory for stacks), fewer --threads, or another --model \
     than thread-per-client"
};

/// What models need of the system, and it refuses although there are descriptors; and how it does. A sandbox may.
#[cfg(target_os = "linux")]
pub(crate) fn refused() -> Option<(&'static str, io::Error)> {
    let poll = match mio::Poll::new() {
        Ok(poll) => poll,
        Err(error) => return Some(("epoll", error)),
    };
    mio::Waker::new(poll.registry(), mio::Token(0)).err().map(|error| ("eventfd", error))
}

/// See above: elsewhere they need nothing of the kind.
#[cfg(not(target_os = "linux"))]
pub(crate) fn refused() -> Option<(&'static str, io::Error)> {
    None
}

/// What to do when there are no local ports left.
pub(crate) const MORE_PORTS: &str = if cfg!(windows) {
    "ports of closed connections come back after two minutes; `netsh int ipv4 set dynamicport tcp start=10000 num=55535` \
     gives more of them (16,384 by default)"
} else {
    "ports of closed connections come back after a minute; on Linux, `sysctl -w net.ipv4.ip_local_port_range=\"1024 \
     65535\"` gives more of them (28,232 by default)"
};

/// Whether a connect that failed so found no local port left.
pub(crate) fn no_port_left(error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => true,
        // WSAEADDRINUSE and WSAENOBUFS.
        _ if cfg!(windows) => matches!(error.raw_os_error(), Some(10_048 | 10_055)),
        _ => false,
    }
}

/// Begins to connect from an address of this machine, and from a port that is free for the pair of addresses.
#[cfg(target_os = "linux")]
pub(crate) fn connect_from(source: Ipv4Addr, to: SocketAddrV4) -> io::Result<TcpStream> {
    use nix::errno::Errno;
    use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrIn, sockopt};
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket::socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    // Else the port is chosen now, when only one address is known, and there are but as many as for one.
    socket::setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    socket::bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(source, 0)))?;
    match socket::connect(socket.as_raw_fd(), &SockaddrIn::from(to)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(TcpStream::from_std(socket.into())),
        Err(errno) => Err(errno.into()),
    }
}

/// Begins to connect from any address: other systems give a port once for each pair of addresses, or once for all.
#[cfg(not(target_os = "linux"))]
pub(crate) fn connect_from(_source: Ipv4Addr, to: SocketAddrV4) -> io::Result<TcpStream> {
    TcpStream::connect(to.into())
}

/// Whether a call that failed so found no descriptor left.
pub(crate) fn no_descriptor_left(error: &io::Error) -> bool {
    let codes: &[i32] = if cfg!(windows) {
        // WSAEMFILE
        &[10_024]
    } else {
        // ENFILE and EMFILE
        &[23, 24]
    };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// User and system time of all threads, those that have ended included.
    pub(crate) cpu: Duration,
    /// Bytes of memory.
    pub(crate) memory: u64,
}

/// What process `pid` has used; None if there is no such process.
///
/// On Linux the CPU time is the scheduler's, to the nanosecond, and the memory the resident anonymous pages: heap and stacks,
/// without the pages of files that code is read from. Elsewhere they are what the system tells, in its ticks, and the resident
/// set.
#[cfg(target_os = "linux")]
pub(crate) fn usage(pid: u32) -> Option<Usage> {
    use nix::{time, unistd::Pid};
    let memory = anonymous_bytes(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?)?;
    let clock = time::clock_getcpuclockid(Pid::from_raw(pid.try_into().ok()?)).ok()?;
    Some(Usage { cpu: clock.now().ok()?.into(), memory })
}

/// The line `RssAnon:     1234 kB` of /proc/PID/status.
#[cfg(target_os = "linux")]
fn anonymous_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub(crate) fn usage(pid: u32) -> Option<Usage> {
    inspect(pid, ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks(), |process| Usage {
        cpu: Duration::from_millis(process.accumulated_cpu_time()),
        memory: process.memory(),
    })
}

/// What all CPUs of the machine have done so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineTime {
    /// Of processes and the kernel, on all CPUs.
    pub(crate) busy: Duration,
    /// In which a CPU had work and the hypervisor ran something else.
    pub(crate) steal: Duration,
    pub(crate) cpus: usize,
}

/// The machine's time so far, from /proc/stat; None where there is none.
#[cfg(target_os = "linux")]
pub(crate) fn machine_time() -> Option<MachineTime> {
    use nix::unistd::{SysconfVar, sysconf};
    let ticks = sysconf(SysconfVar::CLK_TCK).ok()?? as f64;
    parse_machine_time(&std::fs::read_to_string("/proc/stat").ok()?, ticks)
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub(crate) fn machine_time() -> Option<MachineTime> {
    None
}

/// Reads the lines `cpu  user nice system idle iowait irq softirq steal …` and `cpu0 …` of /proc/stat.
#[cfg(target_os = "linux")]
fn parse_machine_time(stat: &str, ticks: f64) -> Option<MachineTime> {
    let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<f64> = all.split_whitespace().map_while(|field| field.parse().ok()).collect();
    let &[user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = &fields[..] else { return None };
    Some(MachineTime {
        busy: Duration::from_secs_f64((user + nice + system + irq + softirq) / ticks),
        steal: Duration::from_secs_f64(steal / ticks),
        cpus: stat.lines().filter(|line| line.starts_with("cpu")).count() - 1,
    })
}

/// CPU time of this process and of its children that have ended.
#[cfg(unix)]
pub(crate) fn own_time() -> Duration {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let used = |who| {
        let usage = getrusage(who).map_or(0, |usage| (usage.user_time() + usage.system_time()).num_microseconds());
        Duration::from_micros(usage.try_into().unwrap_or(0))
    };
    used(UsageWho::RUSAGE_SELF) + used(UsageWho::RUSAGE_CHILDREN)
}

/// CPU time of this process; of children that have ended nothing is known.
#[cfg(not(unix))]
pub(crate) fn own_time() -> Duration {
    usage(std::process::id()).map_or(Duration::ZERO, |usage| usage.cpu)
}

/// How long a short load takes: long enough for the clock by which the system counts a process's CPU time, which on
/// Windows ticks 64 times a second.
pub(crate) const SHORT_LOAD: Duration = Duration::from_millis(if cfg!(windows) { 100 } else { 25 });

/// Connections that several processes can have at once. Windows has 16,384 local ports for all of them by default; Linux
/// gives a port once for each server.
pub(crate) const MOST_CONNECTIONS_TOGETHER: u64 = if cfg!(windows) { 8_000 } else { u64::MAX };

/// What is measured, as readers are told: on Linux the engine of this project, on Windows the system's own Winsock.
pub(crate) const WHAT_IS_MEASURED: &str = if cfg!(windows) {
    "the system's own Winsock"
} else {
    "this project's engine, which gives Winsock to Linux, and not Windows"
};

/// The CPUs that this process may use.
#[cfg(target_os = "linux")]
pub(crate) fn allowed_cpus() -> io::Result<Vec<usize>> {
    use nix::{sched, unistd::Pid};
    let set = sched::sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..sched::CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).collect())
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub(crate) fn allowed_cpus() -> io::Result<Vec<usize>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Keeps all threads of process `pid` on one CPU, and those that they start.
#[cfg(target_os = "linux")]
pub(crate) fn keep_on(pid: u32, cpu: usize) -> io::Result<()> {
    use nix::{errno::Errno, sched, unistd::Pid};
    let set = only(cpu)?;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let name = task?.file_name();
        let Some(thread) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        match sched::sched_setaffinity(Pid::from_raw(thread), &set) {
            // It has ended.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_on(_pid: u32, _cpu: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Starts a process whose threads are kept on one CPU from the beginning.
#[cfg(target_os = "linux")]
pub(crate) fn spawn_on(command: &mut Command, cpu: usize) -> io::Result<Child> {
    use nix::{sched, unistd::Pid};
    // A child begins on the CPUs of the thread that starts it.
    let this_thread = Pid::from_raw(0);
    let before = sched::sched_getaffinity(this_thread)?;
    sched::sched_setaffinity(this_thread, &only(cpu)?)?;
    let child = command.spawn();
    sched::sched_setaffinity(this_thread, &before)?;
    child
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub(crate) fn spawn_on(_command: &mut Command, _cpu: usize) -> io::Result<Child> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
fn only(cpu: usize) -> io::Result<nix::sched::CpuSet> {
    let mut set = nix::sched::CpuSet::new();
    set.set(cpu)?;
    Ok(set)
}

/// Asks a child to end by SIGTERM; ends it where there are no signals.
#[cfg(unix)]
pub(crate) fn terminate(child: &mut Child) -> io::Result<()> {
    use nix::{sys::signal, unistd::Pid};
    let pid = child.id().try_into().map_err(io::Error::other)?;
    Ok(signal::kill(Pid::from_raw(pid), signal::Signal::SIGTERM)?)
}

/// See above.
#[cfg(not(unix))]
pub(crate) fn terminate(child: &mut Child) -> io::Result<()> {
    child.kill()
}

/// Whether a child that was asked to [terminate] ended by that or in order, and not by a fault of its own.
#[cfg(unix)]
pub(crate) fn has_obeyed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGTERM: i32 = nix::sys::signal::Signal::SIGTERM as i32;
    // Shells say so of the program that they ran.
    const OF_A_SHELL: i32 = 128 + SIGTERM;
    status.signal() == Some(SIGTERM) || matches!(status.code(), Some(0 | OF_A_SHELL))
}

/// See above: it was ended.
#[cfg(not(unix))]
pub(crate) fn has_obeyed(_: ExitStatus) -> bool {
    true
}

/// How many threads process `pid` has; None if the system does not tell.
pub(crate) fn threads(pid: u32) -> Option<usize> {
    // The main thread is no task of its own in this list.
    inspect(pid, ProcessRefreshKind::nothing().with_tasks(), |process| process.tasks().map(|tasks| tasks.len() + 1))
        .flatten()
}

fn inspect<T>(pid: u32, what: ProcessRefreshKind, read: impl Fn(&Process) -> T) -> Option<T> {
    // A new one each time: it would keep files of /proc open, and every descriptor may be needed.
    let mut system = System::new().ok()?;
    let pid = Pid::from_u32(pid);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
    system.process(pid).map(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Barrier};
    use std::thread;

    #[test]
    fn this_process_has_used_something() {
        let before = usage(std::process::id()).unwrap();
        assert!(before.memory > 100_000);
        let mut used = before;
        let mut x = 0u64;
        while used.cpu <= before.cpu {
            (0..1_000_000).for_each(|i| x = std::hint::black_box(x ^ i));
            used = usage(std::process::id()).unwrap();
        }
    }

    #[test]
    fn memory_that_is_written_to_is_counted() {
        const GROWTH: usize = 64 << 20;
        let before = usage(std::process::id()).unwrap().memory;
        let written = std::hint::black_box(vec![1u8; GROWTH]);
        let after = usage(std::process::id()).unwrap().memory;
        // Other tests of this process may free a little meanwhile.
        assert!(after >= before + GROWTH as u64 / 2, "{before} {after}");
        drop(written);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_machines_time_is_read() {
        let stat = "cpu  100 20 30 4000 50 6 7 80 0 0\ncpu0 1 2\ncpu1 1 2\nintr 5\n";
        let MachineTime { busy, steal, cpus } = parse_machine_time(stat, 100.0).unwrap();
        assert_eq!((busy, steal, cpus), (Duration::from_millis(1_630), Duration::from_millis(800), 2));
        assert!(parse_machine_time("cpu  1 2\n", 100.0).is_none());
        assert!(machine_time().unwrap().busy > Duration::ZERO);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_kept_on_one_cpu() {
        let cpus = || allowed_cpus().unwrap();
        // Each test has a thread of its own, whose CPUs these are.
        let before = cpus();
        let cpu = before[before.len() - 1];
        let mut child = spawn_on(Command::new("sleep").arg("60"), cpu).unwrap();
        assert_eq!(cpus(), before, "this thread is where it was");
        let list = |pid: u32| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim().to_owned()
        };
        assert_eq!(list(child.id()), cpu.to_string());
        keep_on(child.id(), before[0]).unwrap();
        assert_eq!(list(child.id()), before[0].to_string());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(keep_on(child.id(), cpu).is_err(), "it has ended");
    }

    #[test]
    fn threads_are_counted() {
        let gate = Arc::new(Barrier::new(11));
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let gate = gate.clone();
                thread::spawn(move || gate.wait())
            })
            .collect();
        let counted = threads(std::process::id());
        gate.wait();
        waiting.into_iter().for_each(|thread| drop(thread.join()));
        // Other tests of this process have threads too: these are at least there.
        assert!(counted.is_none_or(|threads| threads >= 11), "{counted:?}");
    }

    #[test]
    fn a_process_that_is_not_there_has_used_nothing() {
        assert!(usage(u32::MAX - 1).is_none());
        assert!(threads(u32::MAX - 1).is_none());
    }
}
