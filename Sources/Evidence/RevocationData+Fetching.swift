import Certificates
import HPKI
import Outbound
import Synchronization

extension RevocationData {
    private static let memoryOfPlaces = 10_000
    /// By how much an authority's clock may be ahead of ours.
    private static let toleranceSeconds: Int64 = 60

    /// The list at an address, verified under `issuer`'s key; never an older one than was seen before.
    func list(
        at place: String, by issuer: HPKICertificate
    ) async -> Result<CertificateRevocationList, SingleFlight<CertificateRevocationList>.Fault> {
        await memory.lists.value("\(issuer.fingerprint.hex) \(place)") {
            do throws(Problem) {
                return .success(try await fetchList(at: place, by: issuer))
            } catch {
                return .failure(.init(problem: error.text))
            }
        }
    }

    private func fetchList(
        at place: String, by issuer: HPKICertificate
    ) async throws(Problem) -> CertificateRevocationList {
        let body: [UInt8]
        do throws(OutboundError) {
            body = try await outbound.fetch(
                place, limit: CertificateRevocationList.byteLimit, timeoutSeconds: settings.timeoutSeconds
            ).body
        } catch {
            throw Problem(text: "\(error)")
        }
        let list: CertificateRevocationList
        do throws(CRLError) {
            // One list: some authorities publish PEM against RFC 5280 §4.2.1.13.
            guard let only = try CertificateRevocationList.read(file: body).first else { throw .invalidPEM }
            list = only
        } catch {
            throw Problem(text: error.explanation)
        }
        guard list.mayBeSigned(by: issuer) else { throw Problem(text: "the list is another issuer's") }
        do throws(SignatureError) {
            try list.verifySignature(by: issuer.publicKey)
        } catch {
            throw Problem(text: CRLError.badSignature(error).explanation)
        }
        let now = clock.now()
        guard list.thisUpdate <= now.adding(seconds: Self.toleranceSeconds) else {
            throw Problem(text: "the list is of a time to come")
        }
        guard let nextUpdate = list.nextUpdate, now <= nextUpdate else {
            throw Problem(text: "the list is past its next update")
        }
        memory.fetched.withLock { fetched in
            if fetched.count >= Self.memoryOfPlaces { fetched = [:] }
            fetched[place] = now
        }
        return memory.seen.take(list, by: issuer)
    }

    /// A responder's answer about a certificate, verified: good or revoked, never unknown.
    func answer(
        of place: String, about certificate: HPKICertificate, issuedBy issuer: HPKICertificate, at instant: Instant,
        _ crls: CRLStore
    ) async -> Result<OCSPResponse, SingleFlight<OCSPResponse>.Fault> {
        let subject = certificate.fingerprint
        if let known = memory.answered.withLock({ $0[subject] }), holds(known, certificate, issuer, instant, crls) {
            return .success(known)
        }
        return await memory.answers.value("\(subject.hex) \(place)") {
            do throws(Problem) {
                let answer = try await fetchAnswer(of: place, about: certificate, issuedBy: issuer, crls)
                memory.answered.withLock { answered in
                    if answered.count >= Self.memoryOfPlaces { answered = [:] }
                    answered[subject] = answer
                }
                return .success(answer)
            } catch {
                return .failure(.init(problem: error.text))
            }
        }
    }

    /// Whether an answer kept is still recent, and as good as on the day it came.
    private func holds(
        _ answer: OCSPResponse, _ certificate: HPKICertificate, _ issuer: HPKICertificate, _ instant: Instant,
        _ crls: CRLStore
    ) -> Bool {
        let now = clock.now()
        guard now < answer.producedAt.adding(seconds: settings.refreshSeconds) else { return false }
        let demands = OCSPRequirements(at: max(now, instant), toleranceSeconds: nil, crls: crls)
        return (try? answer.verify(for: certificate, issuedBy: issuer, demands)) != nil
    }

    private func fetchAnswer(
        of place: String, about certificate: HPKICertificate, issuedBy issuer: HPKICertificate, _ crls: CRLStore
    ) async throws(Problem) -> OCSPResponse {
        let nonce = random.bytes(32)
        // SHA-1 only names the certificate; many responders know no other name (RFC 5019 §2.1.1).
        let id = OCSPCertificateID(of: certificate, issuedBy: issuer, hash: .sha1)
        let request = OutboundRequest(
            place, method: "POST",
            headers: [
                OutboundHeader("Content-Type", "application/ocsp-request"),
                OutboundHeader("Accept", "application/ocsp-response"),
            ],
            body: OCSPRequest.der(for: id, nonce: nonce), limit: OCSPResponse.byteLimit,
            timeoutSeconds: settings.timeoutSeconds)
        let body = try await outbound.body(of: request, type: "application/ocsp-response")
        do throws(OCSPError) {
            let response = try OCSPResponse(der: body)
            // Responders that make their answers beforehand repeat no nonce; their age then bounds a replay.
            let demands = OCSPRequirements(
                at: clock.now(), nonce: response.nonce == nil ? nil : nonce, toleranceSeconds: Self.toleranceSeconds,
                crls: crls)
            let answer = try response.verify(for: certificate, issuedBy: issuer, demands)
            guard answer.status != .unknown else { throw .otherCertificate }
            guard answer.thisUpdate <= certificate.notAfter else { throw .stale(nextUpdate: answer.nextUpdate) }
            return response
        } catch {
            throw Problem(text: error.explanation)
        }
    }
}

/// What went wrong at one place, in a clause or sentence for an operator.
struct Problem: Error {
    let text: String
}

extension Outbound {
    /// The body of an answer with status 200 and the media type `type`, and nothing else.
    func body(of request: OutboundRequest, type: String) async throws(Problem) -> [UInt8] {
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await send(request)
        } catch {
            throw Problem(text: "\(error)")
        }
        // Redirects are not followed: a place is what the configuration or a certificate names.
        guard response.status == 200 else { throw Problem(text: "\(OutboundError.status(response.status))") }
        let found = response.header("Content-Type") ?? ""
        let essence = found.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        guard essence == type else { throw Problem(text: "the answer is not of the type \(type)") }
        return response.body
    }
}
