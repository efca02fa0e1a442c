import Glibc

/// The time that a thread itself has worked, which other processes on the machine do not lengthen.
package enum WorkedTime {
    /// The most seconds of work that one input may make.
    package static let most = 1.0

    /// Seconds that this thread has worked.
    package static var seconds: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
