use super::*;

#[test]
fn dispositions_say_what_they_did() {
    let place = Place::new();
    let rights = GENERIC_READ | GENERIC_WRITE;
    let open = |disposition| {
        let share = FILE_SHARE_READ | FILE_SHARE_WRITE;
        place.try_open(rights, share, disposition, 0).map(|handle| (last_error(), handle)).map(|(code, _)| code)
    };
    assert_eq!(open(OPEN_EXISTING), Err(ERROR_FILE_NOT_FOUND));
    assert_eq!(open(TRUNCATE_EXISTING), Err(ERROR_FILE_NOT_FOUND));
    assert_eq!(open(OPEN_ALWAYS), Ok(0));
    assert_eq!(open(CREATE_NEW), Err(ERROR_FILE_EXISTS));
    std::fs::write(&place.0, b"content").unwrap();
    assert_eq!(open(OPEN_EXISTING), Ok(0));
    assert_eq!(open(OPEN_ALWAYS), Ok(ERROR_ALREADY_EXISTS));
    assert_eq!(place.content(), b"content");
    assert_eq!(open(CREATE_ALWAYS), Ok(ERROR_ALREADY_EXISTS));
    assert_eq!(place.content(), b"");
    std::fs::write(&place.0, b"content").unwrap();
    assert_eq!(open(TRUNCATE_EXISTING), Ok(0));
    assert_eq!(place.content(), b"");
    std::fs::remove_file(&place.0).unwrap();
    assert_eq!(open(CREATE_ALWAYS), Ok(0));
    std::fs::remove_file(&place.0).unwrap();
    assert_eq!(open(CREATE_NEW), Ok(0));
    for disposition in [0, 6, u32::MAX] {
        assert_eq!(open(disposition), Err(ERROR_INVALID_PARAMETER));
    }
    let read_only = place.try_open(GENERIC_READ, 0, TRUNCATE_EXISTING, 0).map(drop);
    assert_eq!(read_only, Err(ERROR_INVALID_PARAMETER));
}

#[test]
fn a_file_is_truncated_for_a_handle_that_only_reads() {
    let place = Place::with(b"content");
    let file = place.open(GENERIC_READ, CREATE_ALWAYS, 0);
    assert_eq!(place.content(), b"");
    assert_eq!(file.write(b"x"), Err(ERROR_ACCESS_DENIED));
}

#[test]
fn what_is_wrong_with_a_path_is_told() {
    let dir = std::env::temp_dir();
    let open = |path: std::path::PathBuf| Place(path).try_open(GENERIC_READ, 0, OPEN_EXISTING, 0).map(drop);
    assert_eq!(open(dir.join("winsock-none/none")), Err(ERROR_PATH_NOT_FOUND));
    assert_eq!(open(dir.join("winsock-none")), Err(ERROR_FILE_NOT_FOUND));
    assert_eq!(open("".into()), Err(ERROR_PATH_NOT_FOUND));
    assert_eq!(open(dir.join("x".repeat(300))), Err(ERROR_FILENAME_EXCED_RANGE));
    let file = Place::with(b"");
    assert_eq!(open(file.0.join("below")), Err(ERROR_PATH_NOT_FOUND));
    // Not through `Place`, which removes: a directory.
    let name = CString::new(dir.to_str().unwrap()).unwrap();
    // SAFETY: the name is a terminated string, the other pointers are null.
    unsafe {
        let directory = CreateFileA(name.as_ptr().cast(), GENERIC_READ, 7, null(), OPEN_EXISTING, 0, null_mut());
        assert_eq!((directory, last_error()), (INVALID_HANDLE_VALUE, ERROR_ACCESS_DENIED));
        let none = CreateFileW(null(), GENERIC_READ, 7, null(), OPEN_EXISTING, 0, null_mut());
        assert_eq!((none, last_error()), (INVALID_HANDLE_VALUE, ERROR_PATH_NOT_FOUND));
        let lonely_surrogate = [0xd800, 0];
        let bad = CreateFileW(lonely_surrogate.as_ptr(), GENERIC_READ, 7, null(), OPEN_EXISTING, 0, null_mut());
        assert_eq!((bad, last_error()), (INVALID_HANDLE_VALUE, ERROR_INVALID_NAME));
    }
}

#[test]
fn a_path_may_be_wide_and_have_backslashes() {
    let mut place = Place::new();
    place.0.set_extension("älg");
    let wide: Vec<u16> = place.0.to_str().unwrap().replace('/', "\\").encode_utf16().chain([0]).collect();
    // SAFETY: the name is a terminated string, the other pointers are null.
    let file = unsafe { CreateFileW(wide.as_ptr(), GENERIC_WRITE, 0, null(), CREATE_NEW, 0, null_mut()) };
    assert_ne!(file, INVALID_HANDLE_VALUE);
    assert_eq!(Handle(file).write(b"here"), Ok(4));
    assert_eq!(place.content(), b"here");
}

#[test]
fn share_modes_hold_between_the_handles_of_the_process() {
    let place = Place::with(b"content");
    let all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    let open = |rights, share, flags| place.try_open(rights, share, OPEN_EXISTING, flags);
    let denied = Some(ERROR_SHARING_VIOLATION);
    let reader = open(GENERIC_READ, FILE_SHARE_READ, 0).unwrap();
    assert_eq!(open(GENERIC_WRITE, all, 0).err(), denied, "it does not share writing");
    assert_eq!(open(GENERIC_READ, FILE_SHARE_WRITE, 0).err(), denied, "it reads");
    assert_eq!(open(GENERIC_READ, all, FILE_FLAG_DELETE_ON_CLOSE).err(), denied);
    assert_eq!(place.try_open(GENERIC_WRITE, all, CREATE_ALWAYS, 0).err(), denied);
    assert_eq!(place.content(), b"content", "not truncated before it was denied");
    let second = open(GENERIC_READ, all, 0).unwrap();
    drop((reader, second));
    drop(open(GENERIC_WRITE, 0, 0).unwrap());
    drop(open(GENERIC_READ, 0, 0).unwrap());
}

#[test]
fn a_file_is_deleted_on_close_with_the_handle() {
    let place = Place::new();
    let file = place.open(GENERIC_WRITE, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE);
    assert_eq!(file.write(b"gone soon"), Ok(9));
    assert_eq!(place.content(), b"gone soon");
    drop(file);
    assert!(!place.0.exists());
}

#[test]
fn another_file_that_took_its_name_is_not_deleted_on_close() {
    let place = Place::new();
    let file = place.open(GENERIC_WRITE, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE);
    let other = Place::with(b"other");
    std::fs::rename(&other.0, &place.0).unwrap();
    drop(file);
    assert_eq!(place.content(), b"other");
}

#[test]
fn rights_are_kept() {
    let place = Place::with(b"content");
    let reader = place.open(GENERIC_READ, OPEN_EXISTING, 0);
    assert_eq!(reader.write(b"x"), Err(ERROR_ACCESS_DENIED));
    let writer = place.open(GENERIC_WRITE, OPEN_EXISTING, 0);
    assert_eq!(writer.read(&mut [0; 4]), Err(ERROR_ACCESS_DENIED));
    // SAFETY: no precondition.
    unsafe {
        assert_eq!((FlushFileBuffers(reader.0), last_error()), (FALSE, ERROR_ACCESS_DENIED));
        assert_eq!(FlushFileBuffers(writer.0), TRUE);
    }
    let neither = place.open(0, OPEN_EXISTING, 0);
    assert_eq!(neither.read(&mut [0; 4]), Err(ERROR_ACCESS_DENIED));
    assert_eq!(neither.seek(0, FILE_END), Ok(7));
}

#[test]
fn file_functions_take_no_other_handles() {
    let pair = Pair::new();
    let (event, mut size) = (event(), 0);
    for handle in [event.0, null_mut(), INVALID_HANDLE_VALUE] {
        assert_eq!(Handle(handle).read(&mut [0; 4]), Err(ERROR_INVALID_HANDLE));
        assert_eq!(Handle(handle).write(b"x"), Err(ERROR_INVALID_HANDLE));
    }
    for handle in [event.0, null_mut(), pair.client as HANDLE] {
        // SAFETY: the size lives through the call.
        unsafe {
            assert_eq!((GetFileSizeEx(handle, &mut size), last_error()), (FALSE, ERROR_INVALID_HANDLE));
            assert_eq!((FlushFileBuffers(handle), last_error()), (FALSE, ERROR_INVALID_HANDLE));
            assert_eq!(SetFilePointerEx(handle, 0, null_mut(), FILE_BEGIN), FALSE);
            assert_eq!(last_error(), ERROR_INVALID_HANDLE);
        }
    }
}
