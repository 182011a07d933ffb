//! Clocks, and times as Windows writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{finish_bool, is_bad};
use crate::types::*;

/// The 100 ns of a FILETIME in a second, and from 1601 to the epoch of Unix.
const SECOND: i64 = 10_000_000;
const UNIX: i64 = 116_444_736_000_000_000;
/// The frequency of QueryPerformanceCounter, that of today's Windows: 100 ns.
const FREQUENCY: i64 = SECOND;
const DAY: i64 = 86_400 * SECOND;

fn clock(clock: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time lives through the call. The clocks exist, so that it cannot fail.
    unsafe { libc::clock_gettime(clock, &mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Milliseconds since the machine was started.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetTickCount64")]
pub unsafe extern "system" fn GetTickCount64() -> u64 {
    clock(libc::CLOCK_BOOTTIME).as_millis() as u64
}

/// Milliseconds since the machine was started, of which 32 bits are left after 49.7 days.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_GetTickCount")]
pub unsafe extern "system" fn GetTickCount() -> u32 {
    clock(libc::CLOCK_BOOTTIME).as_millis() as u32
}

/// As [`GetTickCount`], of the multimedia functions.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_timeGetTime")]
pub unsafe extern "system" fn timeGetTime() -> u32 {
    clock(libc::CLOCK_BOOTTIME).as_millis() as u32
}

/// Accepted: timers are as fine as the system has them.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_timeBeginPeriod")]
pub unsafe extern "system" fn timeBeginPeriod(_uperiod: u32) -> u32 {
    0
}

/// Accepted.
///
/// # Safety
/// Nothing is asked of the caller.
#[unsafe(export_name = "ws_timeEndPeriod")]
pub unsafe extern "system" fn timeEndPeriod(_uperiod: u32) -> u32 {
    0
}

/// A clock that never goes back, in units of 100 ns.
///
/// # Safety
/// `lpperformancecount` is null or writable.
#[unsafe(export_name = "ws_QueryPerformanceCounter")]
pub unsafe extern "system" fn QueryPerformanceCounter(lpperformancecount: *mut i64) -> BOOL {
    let count = (clock(libc::CLOCK_MONOTONIC).as_nanos() / 100) as i64;
    // SAFETY: the caller's promise.
    finish_bool(unsafe { give(lpperformancecount, count) })
}

/// How often that clock ticks in a second.
///
/// # Safety
/// `lpfrequency` is null or writable.
#[unsafe(export_name = "ws_QueryPerformanceFrequency")]
pub unsafe extern "system" fn QueryPerformanceFrequency(lpfrequency: *mut i64) -> BOOL {
    // SAFETY: the caller's promise.
    finish_bool(unsafe { give(lpfrequency, FREQUENCY) })
}

/// # Safety
/// `place` is bad (null) or writable.
unsafe fn give<T>(place: *mut T, value: T) -> Result<(), WIN32_ERROR> {
    if is_bad(place) {
        return Err(ERROR_NOACCESS);
    }
    // SAFETY: the caller's promise.
    unsafe { place.write_unaligned(value) };
    Ok(())
}

/// Now, in 100 ns since 1601.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX + (since.as_nanos() / 100) as i64
}

fn file_time(time: i64) -> FILETIME {
    FILETIME { dwLowDateTime: time as u32, dwHighDateTime: (time >> 32) as u32 }
}

fn from_file_time(time: FILETIME) -> i64 {
    i64::from(time.dwHighDateTime) << 32 | i64::from(time.dwLowDateTime)
}

/// Tells the time (UTC) in 100 ns since 1601.
///
/// # Safety
/// `lpsystemtimeasfiletime` is null or writable.
#[unsafe(export_name = "ws_GetSystemTimeAsFileTime")]
pub unsafe extern "system" fn GetSystemTimeAsFileTime(lpsystemtimeasfiletime: *mut FILETIME) {
    // SAFETY: the caller's promise. There is nobody to tell of a bad pointer.
    let _ = unsafe { give(lpsystemtimeasfiletime, file_time(now())) };
}

/// As [`GetSystemTimeAsFileTime`], which is as fine here.
///
/// # Safety
/// As there.
#[unsafe(export_name = "ws_GetSystemTimePreciseAsFileTime")]
pub unsafe extern "system" fn GetSystemTimePreciseAsFileTime(lpsystemtimeasfiletime: *mut FILETIME) {
    // SAFETY: the caller's promise.
    unsafe { GetSystemTimeAsFileTime(lpsystemtimeasfiletime) }
}

/// Tells the time (UTC) by the calendar.
///
/// # Safety
/// `lpsystemtime` is null or writable.
#[unsafe(export_name = "ws_GetSystemTime")]
pub unsafe extern "system" fn GetSystemTime(lpsystemtime: *mut SYSTEMTIME) {
    // SAFETY: the caller's promise. There is nobody to tell of a bad pointer.
    let _ = unsafe { give(lpsystemtime, to_calendar(now())) };
}

/// Tells the time of this place by the calendar.
///
/// # Safety
/// `lpsystemtime` is null or writable.
#[unsafe(export_name = "ws_GetLocalTime")]
pub unsafe extern "system" fn GetLocalTime(lpsystemtime: *mut SYSTEMTIME) {
    let now = now();
    // SAFETY: the caller's promise. There is nobody to tell of a bad pointer.
    let _ = unsafe { give(lpsystemtime, to_calendar(now + offset_of(now))) };
}

/// How far the clocks of this place are before UTC at a time, in 100 ns.
fn offset_of(time: i64) -> i64 {
    let seconds: libc::time_t = (time - UNIX).div_euclid(SECOND);
    // SAFETY: all zeros is a valid tm, which lives through the call.
    let local = unsafe {
        let mut local: libc::tm = std::mem::zeroed();
        libc::localtime_r(&seconds, &mut local);
        local
    };
    local.tm_gmtoff * SECOND
}

/// A time by the calendar. Days are counted in eras of 400 years that begin on a first of March.
fn to_calendar(time: i64) -> SYSTEMTIME {
    let (days, rest) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    // From 0000-03-01 to 1601-01-01.
    let shifted = days + 584_694;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let milliseconds = rest / (SECOND / 1000);
    SYSTEMTIME {
        wYear: (era * 400 + year_of_era + i64::from(month <= 2)) as u16,
        wMonth: month as u16,
        // The first day was a Monday.
        wDayOfWeek: (days + 1).rem_euclid(7) as u16,
        wDay: (day_of_year - (153 * march_month + 2) / 5 + 1) as u16,
        wHour: (milliseconds / 3_600_000) as u16,
        wMinute: (milliseconds / 60_000 % 60) as u16,
        wSecond: (milliseconds / 1000 % 60) as u16,
        wMilliseconds: (milliseconds % 1000) as u16,
    }
}

/// The time of a date; none for what is no date. The day of the week is ignored.
fn from_calendar(date: SYSTEMTIME) -> Option<i64> {
    let fits = (1601..=30_827).contains(&date.wYear)
        && (1..=12).contains(&date.wMonth)
        && (1..=31).contains(&date.wDay)
        && date.wHour < 24
        && date.wMinute < 60
        && date.wSecond < 60
        && date.wMilliseconds < 1000;
    if !fits {
        return None;
    }
    let (month, day) = (i64::from(date.wMonth), i64::from(date.wDay));
    let year = i64::from(date.wYear) - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 584_694;
    let seconds = i64::from(date.wHour) * 3600 + i64::from(date.wMinute) * 60 + i64::from(date.wSecond);
    let time = days * DAY + seconds * SECOND + i64::from(date.wMilliseconds) * (SECOND / 1000);
    // The 30th of February is the 1st or 2nd of March.
    let again = to_calendar(time);
    (again.wDay == date.wDay).then_some(time)
}

/// A time by the calendar.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for a time before 1601, ERROR_NOACCESS for null.
///
/// # Safety
/// Both are null or readable and writable.
#[unsafe(export_name = "ws_FileTimeToSystemTime")]
pub unsafe extern "system" fn FileTimeToSystemTime(lpfiletime: *const FILETIME, lpsystemtime: *mut SYSTEMTIME) -> BOOL {
    let convert = || {
        // SAFETY: the caller's promise.
        let time = from_file_time(unsafe { take(lpfiletime)? });
        if time < 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        unsafe { give(lpsystemtime, to_calendar(time)) }
    };
    finish_bool(convert())
}

/// The time of a date.
///
/// # Errors
/// FALSE with ERROR_INVALID_PARAMETER for what is no date from 1601 on, ERROR_NOACCESS for null.
///
/// # Safety
/// Both are null or readable and writable.
#[unsafe(export_name = "ws_SystemTimeToFileTime")]
pub unsafe extern "system" fn SystemTimeToFileTime(lpsystemtime: *const SYSTEMTIME, lpfiletime: *mut FILETIME) -> BOOL {
    let convert = || {
        // SAFETY: the caller's promise.
        let time = from_calendar(unsafe { take(lpsystemtime)? }).ok_or(ERROR_INVALID_PARAMETER)?;
        // SAFETY: the caller's promise.
        unsafe { give(lpfiletime, file_time(time)) }
    };
    finish_bool(convert())
}

/// A time of UTC as one of this place, by the offset that holds now, as on Windows.
///
/// # Errors
/// FALSE with ERROR_NOACCESS for null.
///
/// # Safety
/// Both are null or readable and writable.
#[unsafe(export_name = "ws_FileTimeToLocalFileTime")]
pub unsafe extern "system" fn FileTimeToLocalFileTime(
    lpfiletime: *const FILETIME,
    lplocalfiletime: *mut FILETIME,
) -> BOOL {
    let convert = || {
        // SAFETY: the caller's promise.
        unsafe { give(lplocalfiletime, file_time(from_file_time(take(lpfiletime)?).wrapping_add(offset_of(now())))) }
    };
    finish_bool(convert())
}

/// A time of this place as one of UTC, by the offset that holds now.
///
/// # Errors
/// FALSE with ERROR_NOACCESS for null.
///
/// # Safety
/// Both are null or readable and writable.
#[unsafe(export_name = "ws_LocalFileTimeToFileTime")]
pub unsafe extern "system" fn LocalFileTimeToFileTime(
    lplocalfiletime: *const FILETIME,
    lpfiletime: *mut FILETIME,
) -> BOOL {
    let convert = || {
        // SAFETY: the caller's promise.
        unsafe { give(lpfiletime, file_time(from_file_time(take(lplocalfiletime)?).wrapping_sub(offset_of(now())))) }
    };
    finish_bool(convert())
}

/// # Safety
/// `place` is bad (null) or readable.
unsafe fn take<T>(place: *const T) -> Result<T, WIN32_ERROR> {
    if is_bad(place) {
        return Err(ERROR_NOACCESS);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { place.read_unaligned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::last_error;

    fn date(year: u16, month: u16, day: u16, week_day: u16) -> SYSTEMTIME {
        SYSTEMTIME { wYear: year, wMonth: month, wDay: day, wDayOfWeek: week_day, ..Default::default() }
    }

    fn fields(date: SYSTEMTIME) -> [u16; 4] {
        [date.wYear, date.wMonth, date.wDay, date.wDayOfWeek]
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let known =
            [(0, date(1601, 1, 1, 1)), (UNIX, date(1970, 1, 1, 4)), (UNIX + 11_016 * DAY, date(2000, 2, 29, 2))];
        for (time, date) in known {
            assert_eq!(fields(to_calendar(time)), fields(date));
            assert_eq!(from_calendar(date), Some(time));
        }
        for day in 0..200_000 {
            let date = to_calendar(day * DAY + 12_345_678 * 10_000);
            assert_eq!(from_calendar(date), Some(day * DAY + 12_345_678 * 10_000));
            assert_eq!(i64::from(date.wDayOfWeek), (day + 1) % 7);
        }
        for wrong in [date(2023, 2, 29, 0), date(1600, 1, 1, 0), date(2023, 13, 1, 0), date(2023, 0, 1, 0)] {
            assert_eq!(from_calendar(wrong), None);
        }
    }

    #[test]
    fn clocks_go_on_and_null_is_refused() {
        let (mut before, mut after, mut frequency) = (0, 0, 0);
        let (mut filetime, mut systemtime) = (FILETIME::default(), SYSTEMTIME::default());
        // SAFETY: the places are live; null is allowed.
        unsafe {
            assert_eq!(QueryPerformanceFrequency(&mut frequency), TRUE);
            assert!(frequency > 0);
            QueryPerformanceCounter(&mut before);
            QueryPerformanceCounter(&mut after);
            assert!(before <= after);
            let ticks = GetTickCount64();
            assert!(u64::from(GetTickCount().wrapping_sub(ticks as u32)) <= GetTickCount64() - ticks);
            GetSystemTimeAsFileTime(&mut filetime);
            assert_eq!(FileTimeToSystemTime(&filetime, &mut systemtime), TRUE);
            assert!(systemtime.wYear >= 2024);
            assert_eq!(SystemTimeToFileTime(&systemtime, &mut filetime), TRUE);
            GetLocalTime(std::ptr::null_mut());
            assert_eq!((QueryPerformanceCounter(std::ptr::null_mut()), last_error()), (FALSE, ERROR_NOACCESS));
        }
    }
}
