//! Owns: how much freed memory the C library's allocator keeps: little, because a host runs for months.
//! Does not own: how much the host uses (`[limits]`, the sandbox's limits).

/// Limits the arenas and returns large blocks at once. By default glibc keeps an arena per thread, and hostile answers
/// made the host appear 140 MiB larger than what it used. Must be called before any thread starts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn keep_little() {
    // With two arenas threads waited for each other, and a seventh fewer webhooks were acknowledged.
    for (parameter, value) in
        [(libc::M_ARENA_MAX, 8), (libc::M_TRIM_THRESHOLD, 128 << 10), (libc::M_MMAP_THRESHOLD, 256 << 10)]
    {
        // SAFETY: `mallopt` reads two integers and changes the allocator's settings. No other thread exists yet that
        // could allocate meanwhile; an invalid value is rejected and changes nothing.
        #[allow(unsafe_code, reason = "a call of the C library; the proof stands above")]
        unsafe {
            libc::mallopt(parameter, value);
        }
    }
}

/// Other allocators have their own settings.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_little() {}
