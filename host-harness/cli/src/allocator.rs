//! Owns: how much freed memory the C library's allocator keeps: little, for a host that lives for months.
//! Does not own: what the host takes (`[limits]`, the sandbox's bounds).

/// Fewer arenas, and large blocks given back at once. glibc keeps an arena for each thread otherwise, and hostile answers
/// made the host look 140 MiB larger than what it used. To be called before any thread is started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn keep_little() {
    for (parameter, value) in
        [(libc::M_ARENA_MAX, 2), (libc::M_TRIM_THRESHOLD, 128 << 10), (libc::M_MMAP_THRESHOLD, 256 << 10)]
    {
        // SAFETY: `mallopt` reads two integers and changes the allocator's settings. No other thread exists yet that could
        // allocate meanwhile; a value that it does not take is refused and changes nothing.
        #[allow(unsafe_code, reason = "a call of the C library; the proof stands above")]
        unsafe {
            libc::mallopt(parameter, value);
        }
    }
}

/// Other allocators have settings of their own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_little() {}
