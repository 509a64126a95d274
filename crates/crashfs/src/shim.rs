//! The shim between SQLite and its own file layer: everything goes through, and is told.
//!
//! In:    SQLite's calls. Out: the same calls to the layer below; what changes files, to a
//!        [`crate::Tape`]; failures, if one was asked for.
//! Never: changes what is read; concerns files of folders that are not recorded.
//! See:   <https://www.sqlite.org/c3ref/vfs.html>, <https://www.sqlite.org/c3ref/io_methods.html>.
//!
//! A file of ours is a [`File`] with the file of the layer below right behind it, in the one block
//! of memory that SQLite hands out. `xFetch` is left out: without it SQLite maps no file.

#![expect(
    unsafe_code,
    reason = "SQLite takes its file layer as a table of C functions"
)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rusqlite::ffi;

use crate::Fault;
use crate::tape::Recording;

/// One open file.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// None for files that are not recorded.
    recorded: *mut Recorded,
}

struct Recorded {
    recording: Arc<Recording>,
    inode: usize,
}

/// The layer below.
struct Below(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite's own layers are tables of functions that any thread may call, and nothing here
// changes them.
unsafe impl Send for Below {}
// SAFETY: as above.
unsafe impl Sync for Below {}

static BELOW: OnceLock<Below> = OnceLock::new();

/// Puts the shim between SQLite and the file layer that has been the default so far. Once for the
/// process; again does nothing.
///
/// # Panics
/// When SQLite does not take it.
pub fn install() {
    BELOW.get_or_init(|| {
        // SAFETY: `sqlite3_vfs_find` gives the default layer, which lives as long as the process;
        // its table of functions is copied, and the copy is leaked, so that it lives as long too.
        unsafe {
            assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
            let below = ffi::sqlite3_vfs_find(std::ptr::null());
            assert!(!below.is_null(), "SQLite has a default file layer");
            let mut shim = *below;
            let size = c_int::try_from(size_of::<File>()).expect("a file is small");
            shim.szOsFile += size;
            shim.zName = c"crashfs".as_ptr();
            shim.pNext = std::ptr::null_mut();
            shim.xOpen = Some(open);
            shim.xDelete = Some(delete);
            let shim = Box::leak(Box::new(shim));
            assert_eq!(ffi::sqlite3_vfs_register(shim, 1), ffi::SQLITE_OK);
            Below(below)
        }
    });
}

fn below() -> *mut ffi::sqlite3_vfs {
    BELOW.get().expect("the shim is installed").0
}

/// The name of a file as SQLite hands it over.
///
/// # Safety
/// `name` is null or ends with a zero byte.
unsafe fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name) };
    name.to_str().ok().map(Path::new)
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands over `szOsFile` bytes, which is room for a `File` and the file of the
    // layer below behind it; `File` is as strictly aligned as any of its.
    unsafe {
        let (own, vfs) = (file.cast::<File>(), below());
        let Some(open) = (*vfs).xOpen else {
            return ffi::SQLITE_CANTOPEN;
        };
        (*own).base.pMethods = std::ptr::null();
        (*own).recorded = std::ptr::null_mut();
        let code = open(vfs, name, real(file), flags, flags_out);
        if (*real(file)).pMethods.is_null() {
            return code;
        }
        (*own).base.pMethods = &raw const METHODS;
        if code == ffi::SQLITE_OK
            && let Some((recording, name)) = path(name).and_then(Recording::of)
        {
            let inode = recording.opened(name);
            (*own).recorded = Box::into_raw(Box::new(Recorded { recording, inode }));
        }
        code
    }
}

unsafe extern "C" fn delete(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flush: c_int,
) -> c_int {
    // SAFETY: the arguments go on to the layer below as they came.
    unsafe {
        let vfs = below();
        let Some(delete) = (*vfs).xDelete else {
            return ffi::SQLITE_IOERR;
        };
        let code = delete(vfs, name, flush);
        if code == ffi::SQLITE_OK
            && let Some((recording, name)) = path(name).and_then(Recording::of)
        {
            recording.deleted(&name);
        }
        code
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The file of the layer below.
///
/// # Safety
/// `file` is one that `open` was given.
unsafe fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: behind our part of the block is the layer's own.
    unsafe { file.cast::<File>().add(1).cast() }
}

/// What is recorded of a file, if it is.
///
/// # Safety
/// `file` is one that `open` has opened and `close` has not closed.
unsafe fn recorded<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a Recorded> {
    // SAFETY: the pointer is null or the box that `open` made.
    unsafe { (*file.cast::<File>()).recorded.as_ref() }
}

/// Hands a call on to the layer below.
macro_rules! pass {
    ($file:ident . $method:ident ( $($argument:expr),* )) => {{
        // SAFETY: `file` is open, so the layer below has its table there; arguments go on as
        // they came.
        unsafe {
            let file = real($file);
            let methods = (*file).pMethods;
            match (*methods).$method {
                Some(method) => method(file $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let code = pass!(file.xClose());
    // SAFETY: the box was made by `open`, and SQLite closes a file once.
    unsafe {
        let own = file.cast::<File>();
        if !(*own).recorded.is_null() {
            drop(Box::from_raw((*own).recorded));
            (*own).recorded = std::ptr::null_mut();
        }
    }
    code
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    bytes: *mut c_void,
    size: c_int,
    offset: i64,
) -> c_int {
    pass!(file.xRead(bytes, size, offset))
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    size: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: the file is open, and SQLite hands over `size` bytes.
    let told = unsafe {
        recorded(file).map(|known| {
            let bytes =
                std::slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(size).unwrap_or(0));
            let offset = u64::try_from(offset).unwrap_or(0);
            known.recording.write(known.inode, offset, bytes)
        })
    };
    match told {
        Some(Err(short)) => {
            let size = c_int::try_from(short.size).unwrap_or(0);
            pass!(file.xWrite(bytes, size, offset));
            match short.fault {
                Fault::Full => ffi::SQLITE_FULL,
                _ => ffi::SQLITE_IOERR_WRITE,
            }
        }
        _ => pass!(file.xWrite(bytes, size, offset)),
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: the file is open.
    if let Some(known) = unsafe { recorded(file) } {
        let size = u64::try_from(size).unwrap_or(0);
        known.recording.cut(known.inode, size);
    }
    pass!(file.xTruncate(size))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the file is open.
    match unsafe { recorded(file) } {
        Some(known) if !known.recording.flush(known.inode) => ffi::SQLITE_IOERR_FSYNC,
        // What is recorded needs no real disk: the model is the disk.
        Some(_) => ffi::SQLITE_OK,
        None => pass!(file.xSync(flags)),
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    pass!(file.xFileSize(size))
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file.xLock(level))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file.xUnlock(level))
}

unsafe extern "C" fn check_reserved_lock(
    file: *mut ffi::sqlite3_file,
    is_held: *mut c_int,
) -> c_int {
    pass!(file.xCheckReservedLock(is_held))
}

unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    what: c_int,
    argument: *mut c_void,
) -> c_int {
    pass!(file.xFileControl(what, argument))
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file.xSectorSize())
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file.xDeviceCharacteristics())
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    mapped: *mut *mut c_void,
) -> c_int {
    pass!(file.xShmMap(page, size, extend, mapped))
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    pass!(file.xShmLock(offset, count, flags))
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as in `pass!`.
    unsafe {
        let file = real(file);
        if let Some(barrier) = (*(*file).pMethods).xShmBarrier {
            barrier(file);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    pass!(file.xShmUnmap(delete))
}
