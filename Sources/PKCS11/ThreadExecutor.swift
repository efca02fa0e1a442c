internal import Dispatch
internal import Foundation
internal import Synchronization

/// Runs an actor's work, one piece after another, on one operating system thread of its own.
///
/// Calls of a PKCS#11 module block, for seconds when a device is slow and for ever when it hangs. Here they hold
/// up nobody else: Swift's shared threads never run them.
final class ThreadExecutor: SerialExecutor {
    private let inbox = Inbox()

    /// Starts the thread; it ends when nobody holds the executor any more.
    ///
    /// Each piece of work is done inside `gate`, where there is one.
    init(name: String, gate: ModuleGate? = nil) {
        let inbox = inbox
        let thread = Thread {
            inbox.adopt()
            while let work = inbox.next() {
                gate?.enter()
                work.run()
                gate?.leave()
            }
        }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }

    deinit { inbox.put(nil) }

    func enqueue(_ job: consuming ExecutorJob) {
        inbox.put(.job(UnownedJob(job), self))
    }

    /// Runs `block` on the thread after everything enqueued so far.
    func perform(_ block: @escaping @Sendable () -> Void) {
        inbox.put(.block(block))
    }

    /// Stops the process when called from another thread: the actor's promise would be broken.
    func checkIsolated() {
        precondition(inbox.isCurrent, "PKCS#11 session used from another thread than its own")
    }
}

/// One thing for the thread to do.
private enum Work: Sendable {
    // The executor is held until its job is done: the job may release the actor that owned it.
    case job(UnownedJob, ThreadExecutor)
    case block(@Sendable () -> Void)

    func run() {
        switch self {
        case .job(let job, let executor): unsafe job.runSynchronously(on: executor.asUnownedSerialExecutor())
        case .block(let block): block()
        }
    }
}

/// What waits to be run, and which thread runs it.
private final class Inbox: Sendable {
    // INVARIANT: the semaphore counts the elements of the queue; nil is the last element and ends the thread.
    private let queue = Mutex(Queue<Work?>())
    private let filled = DispatchSemaphore(value: 0)
    private let owner = Mutex<Thread?>(nil)

    func adopt() { owner.withLock { $0 = Thread.current } }

    var isCurrent: Bool { owner.withLock { $0 === Thread.current } }

    func put(_ work: Work?) {
        queue.withLock { $0.append(work) }
        filled.signal()
    }

    func next() -> Work? {
        filled.wait()
        return queue.withLock { $0.popFirst() } ?? nil
    }
}
