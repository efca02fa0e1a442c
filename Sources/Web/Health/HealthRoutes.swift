internal import CoreProtocol
internal import HTTPTypes
internal import Hummingbird

/// Whether the process lives, and whether a signature could be made now.
struct HealthRoutes {
    let watch: HealthWatch

    func add(to router: Router<APIContext>) {
        router.get("/health/live") { _, _ in
            var json = JSONWriter(capacity: 32)
            json.boolean("live", true)
            return Response(json: json.finish())
        }
        router.get("/health/ready") { _, _ in
            let facts = watch.facts
            var json = JSONWriter(capacity: 128)
            json.boolean("core", facts != nil)
            json.boolean("hsm", facts?.hsm ?? false)
            json.boolean("audit", facts?.audit ?? false)
            json.boolean("clock", facts?.clock ?? false)
            return Response(json: json.finish(), status: facts?.isReady == true ? .ok : .serviceUnavailable)
        }
    }
}

/// The metrics of front and core, on a listener of their own.
struct MetricsRoutes {
    let metrics: WebMetrics
    let watch: HealthWatch

    func add(to router: Router<APIContext>) {
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text))
            )
        }
    }

    private var text: String {
        let facts = watch.facts
        var text = metrics.text + "# TYPE shirushi_ready gauge\n"
        let parts = [
            ("core", facts != nil), ("hsm", facts?.hsm ?? false), ("audit", facts?.audit ?? false),
            ("clock", facts?.clock ?? false),
        ]
        for (part, isReady) in parts { text += "shirushi_ready{part=\"\(part)\"} \(isReady ? 1 : 0)\n" }
        text += "# TYPE shirushi_alarms gauge\nshirushi_alarms \(facts?.alarms.count ?? 0)\n"
        for metric in facts?.metrics ?? [] { text += "\(metric.name) \(metric.value)\n" }
        return text
    }
}

extension Response {
    /// An answer whose body is JSON.
    init(json: ByteBuffer, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: json)
        )
    }
}
