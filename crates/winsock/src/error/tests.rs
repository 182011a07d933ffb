//! The tables as SEMANTICS §9 prints them, in plain numbers, so that a slip in a constant's name shows.
use super::*;

fn status(value: u32) -> NTSTATUS {
    value as NTSTATUS
}

#[test]
fn h10_status_to_winsock() {
    let rows: &[(WSA_ERROR, &[u32])] = &[
        (0, &[0]),
        (996, &[0x103]),
        (995, &[0xC000_0120]),
        (10040, &[0x8000_0005, 0xC000_0206]),
        (10054, &[0xC000_020D, 0xC000_020C, 0xC000_013C, 0xC000_013E, 0xC000_023F]),
        (10053, &[0xC000_0241, 0xC000_013B, 0xC000_020F]),
        (10061, &[0xC000_0236, 0xC000_00BC]),
        (10060, &[0xC000_00B5, 0xC000_013F]),
        (10051, &[0xC000_023C, 0xC000_00BE, 0xC000_023E]),
        (10065, &[0xC000_023D]),
        (10064, &[0xC000_0350]),
        (10057, &[0xC000_0140]),
        (10056, &[0xC000_023B]),
        (10058, &[0xC000_00B0]),
        (10101, &[0xC000_0237]),
        (10035, &[0xC000_00A3, 0xC000_00D0]),
        (10038, &[0xC000_0008, 0xC000_0024]),
        (10014, &[0xC000_0005, 0xC000_0023, 0xC000_02C5]),
        (10048, &[0xC000_0043, 0xC000_020A]),
        (10049, &[0xC000_0141, 0xC000_0207]),
        (10013, &[0xC000_0022]),
        (10045, &[0xC000_00BB, 0xC000_0002]),
        // Memory and resources, the quota and commitment family, addresses, the remote side.
        (10055, &[0xC000_0017, 0xC000_009A, 0xC000_0044, 0xC000_0007, 0xC000_012C, 0xC000_00A1]),
        (10055, &[0xC000_012D, 0xC000_02C8, 0xC000_0018, 0xC000_0209, 0xC000_013D]),
        // No such device or file, network busy, object name or path, unexpected, invalid response.
        (10050, &[0xC000_000E, 0xC000_000F, 0xC000_00BF, 0xC000_0034, 0xC000_003A]),
        (10050, &[0xC000_00C4, 0xC000_00C3]),
        (10004, &[0xC000_0240]),
        // Any other failure, known to the Win32 column or not.
        (10022, &[0xC000_0001, 0xC000_000D, 0xC000_0011, 0xC000_FFFF, 0x8000_0006]),
        // Any other success goes by the Win32 mapping.
        (317, &[0x0000_7777]),
    ];
    for (wsa, statuses) in rows {
        for &s in *statuses {
            assert_eq!(wsa_from_status(status(s)), *wsa, "{s:#010X}");
        }
    }
}

#[test]
fn h11_status_to_win32() {
    let rows: &[(u32, &[u32])] = &[
        (64, &[0xC000_020D, 0xC000_020C, 0xC000_013B, 0xC000_013C]),
        (1236, &[0xC000_0241]),
        (1225, &[0xC000_0236]),
        (1226, &[0xC000_0237]),
        (1230, &[0xC000_023B]),
        (1231, &[0xC000_023C]),
        (1232, &[0xC000_023D]),
        (1234, &[0xC000_023F]),
        (995, &[0xC000_0120]),
        (234, &[0x8000_0005]),
        (122, &[0xC000_0023]),
        (38, &[0xC000_0011]),
        (121, &[0xC000_00B5]),
        (59, &[0xC000_013F, 0xC000_0140]),
        (233, &[0xC000_00B0]),
        (1168, &[0xC000_0225]),
        // Beyond the printed table.
        (0, &[0]),
        (997, &[0x103]),
        (6, &[0xC000_0008]),
        (31, &[0xC000_0001]),
        (317, &[0xC000_FFFF, 0x0000_7777]),
    ];
    for (win32, statuses) in rows {
        for &s in *statuses {
            assert_eq!(win32_from_status(status(s)), *win32, "{s:#010X}");
        }
    }
}

/// Every row that the printed table gives a status.
const WITH_STATUS: &[(i32, WSA_ERROR, u32)] = &[
    (libc::EBADF, 10038, 0xC000_0008),
    (libc::EACCES, 10013, 0xC000_0022),
    (libc::EPERM, 10013, 0xC000_0022),
    (libc::EFAULT, 10014, 0xC000_0005),
    (libc::EINVAL, 10022, 0xC000_000D),
    (libc::EMFILE, 10024, 0xC000_011F),
    (libc::ENFILE, 10024, 0xC000_011F),
    (libc::EAGAIN, 10035, 0xC000_00A3),
    (libc::EWOULDBLOCK, 10035, 0xC000_00A3),
    (libc::EINPROGRESS, 10035, 0xC000_00A3),
    (libc::ENOTSOCK, 10038, 0xC000_0024),
    (libc::EMSGSIZE, 10040, 0x8000_0005),
    (libc::EOPNOTSUPP, 10045, 0xC000_00BB),
    (libc::EADDRINUSE, 10048, 0xC000_0043),
    (libc::EADDRNOTAVAIL, 10049, 0xC000_0207),
    (libc::ENODEV, 10049, 0xC000_0207),
    (libc::ENETDOWN, 10050, 0xC000_00BF),
    (libc::ENETUNREACH, 10051, 0xC000_023C),
    (libc::ECONNABORTED, 10053, 0xC000_0241),
    (libc::ECONNRESET, 10054, 0xC000_020D),
    (libc::EPIPE, 10054, 0xC000_020D),
    (libc::ENOBUFS, 10055, 0xC000_009A),
    (libc::ENOMEM, 10055, 0xC000_009A),
    (libc::EISCONN, 10056, 0xC000_023B),
    (libc::ENOTCONN, 10057, 0xC000_0140),
    (libc::ESHUTDOWN, 10058, 0xC000_00B0),
    (libc::ETIMEDOUT, 10060, 0xC000_00B5),
    (libc::ECONNREFUSED, 10061, 0xC000_0236),
    (libc::EHOSTDOWN, 10064, 0xC000_0350),
    (libc::EHOSTUNREACH, 10065, 0xC000_023D),
    (libc::ECANCELED, 995, 0xC000_0120),
];

#[test]
fn h12_errno_with_a_status() {
    for &(errno, wsa, s) in WITH_STATUS {
        assert_eq!(wsa_from_errno(errno), wsa, "errno {errno}");
        assert_eq!(status_from_errno(errno), status(s), "errno {errno}");
    }
}

#[test]
fn h12_errno_without_a_status() {
    let rows = [
        (libc::EINTR, 10004),
        (libc::EALREADY, 10037),
        (libc::EDESTADDRREQ, 10039),
        (libc::EPROTOTYPE, 10041),
        (libc::ENOPROTOOPT, 10042),
        (libc::EPROTONOSUPPORT, 10043),
        (libc::ESOCKTNOSUPPORT, 10044),
        (libc::EPFNOSUPPORT, 10046),
        (libc::EAFNOSUPPORT, 10047),
        (libc::ENETRESET, 10052),
        (libc::ELOOP, 10062),
        (libc::ENAMETOOLONG, 10063),
        (libc::ENOTEMPTY, 10066),
        (libc::EUSERS, 10068),
        (libc::EDQUOT, 10069),
        (libc::ESTALE, 10070),
        (libc::EREMOTE, 10071),
        // Anything else.
        (libc::EXDEV, 10022),
    ];
    for (errno, wsa) in rows {
        assert_eq!(wsa_from_errno(errno), wsa, "errno {errno}");
        assert_eq!(status_from_errno(errno), status(0xC000_0001), "errno {errno}");
    }
}

/// A call that fails at once and an operation that fails later report the same Winsock code.
#[test]
fn both_ways_from_errno_agree() {
    for &(errno, wsa, s) in WITH_STATUS {
        // A status for "too many open files" has no Winsock code in Windows's table.
        if !matches!(errno, libc::EMFILE | libc::ENFILE) {
            assert_eq!(wsa_from_status(status(s)), wsa, "errno {errno}");
        }
    }
}

#[test]
fn no_key_stands_twice() {
    for (i, row) in ERRNO.iter().enumerate() {
        assert!(ERRNO[..i].iter().all(|r| r.0 != row.0), "errno {}", row.0);
    }
    for (i, row) in STATUS.iter().enumerate() {
        assert!(STATUS[..i].iter().all(|r| r.0 != row.0), "{:#010X}", row.0);
    }
}

#[test]
fn h22_in_progress_is_never_produced() {
    assert!(ERRNO.iter().all(|row| row.1 != WSAEINPROGRESS));
    assert!(STATUS.iter().all(|row| row.1 != WSAEINPROGRESS));
}

#[test]
fn h8_last_error_is_shared_and_per_thread() {
    // SAFETY: these four functions have no precondition.
    unsafe {
        WSASetLastError(10054);
        assert_eq!(GetLastError(), 10054);
        SetLastError(64);
        assert_eq!(WSAGetLastError(), 64);
        let fresh = std::thread::spawn(|| WSAGetLastError()).join().unwrap();
        assert_eq!((fresh, WSAGetLastError()), (0, 64));
    }
}

#[test]
fn h9_how_functions_end() {
    set_last_error(7);
    assert_eq!(finish_bool(Ok(())), TRUE);
    assert_eq!(last_error(), 7, "the Win32 family leaves it alone");
    assert_eq!(finish_bool(Err(ERROR_NETNAME_DELETED)), FALSE);
    assert_eq!(last_error(), 64);
    assert_eq!(finish(Ok(())), 0);
    assert_eq!(last_error(), 0, "Winsock clears it");
    assert_eq!(finish(fail(WSAEINVAL)), SOCKET_ERROR);
    assert_eq!(last_error(), 10022);
}
