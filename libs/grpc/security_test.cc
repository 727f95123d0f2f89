// Mutual TLS over a real socket: who is let in, who is not, and new certificates without a restart.
#include "libs/grpc/security.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <mutex>

#include "absl/time/clock.h"
#include "libs/base/error.h"
#include "libs/grpc/client.h"
#include "libs/grpc/server.h"
#include "libs/grpc/unary.h"
#include "protector/metadata/v1/metadata.grpc.pb.h"

namespace protector::rpc {
namespace {

namespace pb = protector::metadata::v1;
using Stub = pb::MetadataService::StubInterface;

const Identity kServer{"site-a", "metadata-sync"};
const Identity kPeer{"site-b", "metadata-sync"};

struct Directory {
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "security_test.XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string File(const std::string& name) const { return (path / name).string(); }
  std::filesystem::path path;
};

struct Dates {
  long from = -3600;  // seconds from now
  long until = 3600;
};

// A key and a certificate signed by `issuer` (itself when null).
class Pair {
 public:
  Pair(const Pair* issuer, const std::string& name, const std::string& uri, const Dates& dates) {
    key_ = EVP_EC_gen("P-256");
    certificate_ = X509_new();
    X509_set_version(certificate_, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), dates.from);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), dates.until);
    X509_set_pubkey(certificate_, key_);
    X509_NAME* subject = X509_get_subject_name(certificate_);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate_, X509_get_subject_name(issuer == nullptr ? certificate_ : issuer->certificate_));
    Extend(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!uri.empty()) Extend(NID_subject_alt_name, "URI:" + uri);
    X509_sign(certificate_, issuer == nullptr ? key_ : issuer->key_, EVP_sha256());
  }
  ~Pair() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void WriteCertificate(const std::string& path) const {
    FILE* file = fopen((path + ".new").c_str(), "w");
    PEM_write_X509(file, certificate_);
    fclose(file);
    std::filesystem::rename(path + ".new", path);
  }
  void WriteKey(const std::string& path, mode_t mode = 0600) const {
    FILE* file = fopen((path + ".new").c_str(), "w");
    PEM_write_PrivateKey(file, key_, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(file);
    chmod((path + ".new").c_str(), mode);
    std::filesystem::rename(path + ".new", path);
  }

 private:
  void Extend(int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate_, extension, -1);
    X509_EXTENSION_free(extension);
  }

  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
};

struct Pki {
  Directory directory;
  Pair ca{nullptr, "test CA", "", {}};
  Pair other_ca{nullptr, "another CA", "", {}};

  TlsFiles Files(const std::string& name, const Pair& trusted, const Pair& pair) const {
    const TlsFiles files{directory.File(name + "-ca.pem"), directory.File(name + ".pem"),
                         directory.File(name + ".key")};
    trusted.WriteCertificate(files.ca_file);
    pair.WriteKey(files.key_file);
    pair.WriteCertificate(files.certificate_file);
    return files;
  }
  TlsFiles Files(const std::string& name, const Identity& identity) const {
    return Files(name, ca, Pair(&ca, name, identity.Uri(), {}));
  }
};

class HeadsService final : public pb::MetadataService::CallbackService {
 public:
  explicit HeadsService(Host& host) : host_(host) {}
  ::grpc::ServerUnaryReactor* ListHeads(::grpc::CallbackServerContext* context, const pb::ListHeadsRequest* request,
                                        pb::ListHeadsResponse* response) override {
    return Unary(host_, context, request, response, "ListHeads",
                 [](const CallContext& call, const pb::ListHeadsRequest&) -> absl::StatusOr<pb::ListHeadsResponse> {
                   pb::ListHeadsResponse answer;
                   answer.set_site(call.caller.Name());
                   if (call.tenant) answer.set_site(call.user + " in " + call.tenant->project_id);
                   return answer;
                 });
  }

 private:
  Host& host_;
};

struct Served {
  explicit Served(const Pki& pki, const std::set<Caller>& callers = {There("metadata-sync")})
      : files(pki.Files("server", kServer)),
        host({.site = "site-a", .access = ByMethod({{callers, {"ListHeads"}}})},
             log::Logger::ToFunction({"test", "site-a", log::Level::kInfo},
                                     [this](const std::string& line) {
                                       const std::lock_guard lock(mutex);
                                       log += line;
                                     }),
             metrics, ids),
        service(host) {
    const auto security = Security::Tls(files);
    REQUIRE(security.ok());
    auto started = Server::Start({.listen = "127.0.0.1:0", .security = *security}, host, {&service});
    REQUIRE(started.ok());
    server = *std::move(started);
  }

  absl::StatusOr<pb::ListHeadsResponse> Ask(const Security& security, const Identity& wanted = kServer) const {
    const auto channel = MakeChannel(fmt::format("127.0.0.1:{}", server->port()), security.ForChannel(wanted));
    const auto stub = pb::MetadataService::NewStub(channel);
    return Call(*stub, &Stub::ListHeads, pb::ListHeadsRequest(), CallOptions(absl::Seconds(5), "the service"));
  }
  absl::StatusOr<pb::ListHeadsResponse> AskAs(const Security& security, const std::string& token) const {
    const auto channel = MakeChannel(fmt::format("127.0.0.1:{}", server->port()), security.ForChannel(kServer));
    const auto stub = pb::MetadataService::NewStub(channel);
    CallOptions options(absl::Seconds(5), "the service");
    options.credentials.token = token;
    options.project = "p-claimed";
    options.user = "claimed";
    return Call(*stub, &Stub::ListHeads, pb::ListHeadsRequest(), options);
  }
  absl::StatusOr<pb::ListHeadsResponse> Ask(const TlsFiles& ours) const {
    const auto security = Security::Tls(ours);
    REQUIRE(security.ok());
    return Ask(*security);
  }

  const TlsFiles files;
  std::mutex mutex;
  std::string log;
  metrics::Registry metrics;
  RandomIdGenerator ids;
  Host host;
  HeadsService service;
  std::unique_ptr<Server> server;
};

TEST_CASE("mutual TLS: who may call is let in, and the handler knows who it is") {
  const Pki pki;
  const Served served(pki);
  const auto answer = served.Ask(pki.Files("peer", kPeer));
  INFO(answer.status().ToString());
  REQUIRE(answer.ok());
  CHECK(answer->site() == "metadata-sync of site-b");
}

TEST_CASE("mutual TLS: a program that may not call is refused, and the log says which one it was") {
  const Pki pki;
  Served served(pki);
  for (const Identity& caller :
       {Identity{"site-b", "site-registry"}, Identity{"site-a", "metadata-sync"}, Identity{"site-b", "cli"}}) {
    const absl::Status refused = served.Ask(pki.Files("caller", caller)).status();
    CHECK(refused.code() == absl::StatusCode::kPermissionDenied);
    CHECK(DetailOf(refused).reason == "CALLER_NOT_ALLOWED");
    const std::lock_guard lock(served.mutex);
    CHECK(served.log.find(caller.site + "/" + caller.program) != std::string::npos);
  }
}

// Knows the tokens "good", "boss" and "weak"; the first two after having been asked.
struct Gate final : UserGate {
  std::mutex mutex;
  std::set<std::string> known;
  int asked = 0;

  static std::shared_ptr<const User> UserOf(const std::string& token) {
    User user;
    user.name = token;
    user.project = {"site-a", "p-of-" + token, token};
    return std::make_shared<const User>(user);
  }
  std::shared_ptr<const User> Known(const Credentials& credentials) override {
    const std::lock_guard lock(mutex);
    return known.contains(credentials.token) ? UserOf(credentials.token) : nullptr;
  }
  absl::StatusOr<std::shared_ptr<const User>> Identify(const Credentials& credentials, absl::Time,
                                                       const std::string&) override {
    const std::lock_guard lock(mutex);
    ++asked;
    if (credentials.token != "good" && credentials.token != "boss" && credentials.token != "weak") {
      return Error(absl::StatusCode::kUnauthenticated, "TOKEN_REFUSED", "no such token");
    }
    known.insert(credentials.token);
    return UserOf(credentials.token);
  }
  absl::Status Decide(const std::string& method, const User& user) override {
    if (user.name != "weak") return absl::OkStatus();
    return Error(absl::StatusCode::kPermissionDenied, "NOT_ALLOWED", method + " is not for the weak");
  }
  bool InAllProjects(const User& user) override { return user.name == "boss"; }
  absl::Duration CountsFor() const override { return absl::Seconds(30); }
};

struct Sink final : AuditSink {
  std::mutex mutex;
  std::vector<std::string> lines;
  bool broken = false;
  void Add(const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
  }
  bool Records(const std::string& method) const override { return method == "ListHeads"; }
  absl::StatusOr<int64_t> Begin(const CallContext& call, const google::protobuf::Message&) override {
    if (broken) return absl::UnavailableError("the disk is full");
    Add("begin " + call.user);
    return 7;
  }
  void End(int64_t begun, const CallContext&, const absl::Status& outcome,
           const google::protobuf::Message* response) override {
    Add(fmt::format("end {} {}{}", begun, outcome.ok() ? "ok" : "failed", response != nullptr ? " with answer" : ""));
  }
  void Refused(const CallContext& call, const google::protobuf::Message&, const absl::Status& reason) override {
    Add("refused " + call.user + " " + DetailOf(reason).reason);
  }
};

TEST_CASE("users: the command line says who its user is, and nothing that it says otherwise is believed") {
  const Pki pki;
  Served served(pki, {Everywhere("cli"), There("metadata-sync")});
  Gate gate;
  Sink sink;
  served.host.SetUserGate(gate);
  served.host.SetAuditSink(sink);
  const auto security = Security::Tls(pki.Files("cli", {"site-a", "cli"}));
  REQUIRE(security.ok());
  const auto reason = [&](const std::string& token) {
    return DetailOf(served.AskAs(*security, token).status()).reason;
  };
  CHECK(reason("") == "TOKEN_MISSING");
  CHECK(reason("unheard") == "TOKEN_REFUSED");
  CHECK(reason("weak") == "NOT_ALLOWED");
  CHECK(served.AskAs(*security, "good")->site() == "good in p-of-good");
  const int asked = gate.asked;
  CHECK(served.AskAs(*security, "good")->site() == "good in p-of-good");
  CHECK(gate.asked == asked);                                                        // it is known by now
  CHECK(served.AskAs(*security, "boss")->site() == "cli of site-a");                 // kept to no project
  CHECK(served.Ask(pki.Files("peer", kPeer))->site() == "metadata-sync of site-b");  // a service needs no user
  CHECK(sink.lines == std::vector<std::string>{"refused weak NOT_ALLOWED", "begin good", "end 7 ok with answer",
                                               "begin good", "end 7 ok with answer", "begin boss",
                                               "end 7 ok with answer"});
  served.server->Drain();
  const std::lock_guard lock(served.mutex);
  for (const char* text : {"TOKEN_MISSING", "TOKEN_REFUSED", "NOT_ALLOWED", "p-of-good"}) {
    CHECK(served.log.find(text) != std::string::npos);
  }
  CHECK(served.log.find("claimed") == std::string::npos);
}

TEST_CASE("users: what cannot be put on record is not done; without a gate nobody is let in") {
  const Pki pki;
  Served served(pki, {Everywhere("cli")});
  const auto security = Security::Tls(pki.Files("cli", {"site-a", "cli"}));
  REQUIRE(security.ok());
  CHECK(served.AskAs(*security, "good").status().code() == absl::StatusCode::kUnauthenticated);
  Gate gate;
  Sink sink;
  sink.broken = true;
  served.host.SetUserGate(gate);
  served.host.SetAuditSink(sink);
  const absl::Status refused = served.AskAs(*security, "good").status();
  CHECK(MessageOf(refused).find("the disk is full") != std::string::npos);
  CHECK(sink.lines.empty());
  served.server->Drain();
}

TEST_CASE("mutual TLS: without a certificate, or with one of another CA, there is no connection") {
  const Pki pki;
  const Served served(pki);
  CHECK(served.Ask(Security::Insecure()).status().code() == absl::StatusCode::kUnavailable);
  const TlsFiles stranger = pki.Files("stranger", pki.ca, Pair(&pki.other_ca, "stranger", kPeer.Uri(), {}));
  CHECK(served.Ask(stranger).status().code() == absl::StatusCode::kUnavailable);
  // Nor does a client talk to a server that it has no reason to trust.
  const TlsFiles wary = pki.Files("wary", pki.other_ca, Pair(&pki.ca, "wary", kPeer.Uri(), {}));
  CHECK(served.Ask(wary).status().code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("mutual TLS: a client connects to nobody but the program of the site that it means") {
  const Pki pki;
  const Served served(pki);
  const auto security = Security::Tls(pki.Files("peer", kPeer));
  REQUIRE(security.ok());
  CHECK(served.Ask(*security, {"", "metadata-sync"}).ok());
  for (const Identity& wanted : {Identity{"site-b", "metadata-sync"}, Identity{"site-a", "orchestrator"}}) {
    const absl::Status refused = served.Ask(*security, wanted).status();
    CHECK(refused.code() == absl::StatusCode::kUnavailable);
    INFO(refused.ToString());
    CHECK(CertainlyNotSent(refused));
    CHECK(MessageOf(refused).find("its certificate is of metadata-sync of site-a") != std::string::npos);
  }
}

TEST_CASE("mutual TLS: a kept connection to one server serves for no other one at the same address") {
  const Pki pki;
  const Served served(pki);
  const auto security = Security::Tls(pki.Files("peer", kPeer));
  REQUIRE(security.ok());
  Connectors connectors;
  const std::string address = fmt::format("127.0.0.1:{}", served.server->port());
  const auto ask = [&](const Identity& server) {
    const auto stub = pb::MetadataService::NewStub(connectors.Get(address, server, *security));
    return Call(*stub, &Stub::ListHeads, pb::ListHeadsRequest(), CallOptions(absl::Seconds(5), "the service"));
  };
  CHECK(ask(kServer).ok());
  CHECK(CertainlyNotSent(ask({"site-c", "metadata-sync"}).status()));
  CHECK(ask(kServer).ok());
}

TEST_CASE("mutual TLS: a certificate that expires while its program runs is refused by the other end") {
  const Pki pki;
  const Served served(pki);
  const auto security = Security::Tls(pki.Files("short", pki.ca, Pair(&pki.ca, "short", kPeer.Uri(), {-3600, 2})));
  REQUIRE(security.ok());
  CHECK(served.Ask(*security).ok());
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (served.Ask(*security).ok() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(50));
  CHECK(served.Ask(*security).status().code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("mutual TLS: new certificates of a new CA are taken without a restart") {
  const Pki pki;
  const Served served(pki);
  const TlsFiles peer = pki.Files("peer", kPeer);
  const auto security = Security::Tls(peer);
  REQUIRE(security.ok());
  REQUIRE(served.Ask(*security).ok());
  // Both ends get the new CA and certificates of it.
  const auto replace = [&](const TlsFiles& files, const Identity& identity) {
    const Pair pair(&pki.other_ca, "new", identity.Uri(), {});
    pki.other_ca.WriteCertificate(files.ca_file);
    pair.WriteKey(files.key_file);
    pair.WriteCertificate(files.certificate_file);
  };
  replace(served.files, kServer);
  replace(peer, kPeer);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  const TlsFiles old = pki.Files("old", kPeer);
  // As long as the old CA's certificate is let in, the new files have not been read.
  while (served.Ask(old).ok() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(100));
  CHECK_FALSE(served.Ask(old).ok());
  absl::StatusOr<pb::ListHeadsResponse> answer = served.Ask(*security);
  while (!answer.ok() && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(100));
    answer = served.Ask(*security);
  }
  INFO(answer.status().ToString());
  CHECK(answer.ok());
}

TEST_CASE("files that cannot be used are named at the start, with the remedy") {
  const Pki pki;
  const TlsFiles good = pki.Files("good", kPeer);
  const auto reason = [](const TlsFiles& files) {
    const absl::Status status = Security::Tls(files).status();
    CHECK_FALSE(DetailOf(status).remedy.empty());
    CHECK(DetailOf(status).object.starts_with("file "));
    return DetailOf(status).reason;
  };
  TlsFiles files = good;
  files.ca_file = pki.directory.File("nowhere.pem");
  CHECK(reason(files) == "TLS_FILE_UNREADABLE");
  files = good;
  files.certificate_file = good.key_file;
  CHECK(reason(files) == "TLS_FILE_INVALID");
  files = good;
  files.key_file = pki.Files("other", kPeer).key_file;
  CHECK(reason(files) == "TLS_FILE_INVALID");
  chmod(good.key_file.c_str(), 0644);
  CHECK(reason(good) == "TLS_KEY_EXPOSED");
  CHECK(reason(pki.Files("expired", pki.ca, Pair(&pki.ca, "x", kPeer.Uri(), {-7200, -3600}))) ==
        "TLS_CERTIFICATE_EXPIRED");
  CHECK(reason(pki.Files("early", pki.ca, Pair(&pki.ca, "x", kPeer.Uri(), {3600, 7200}))) == "TLS_CERTIFICATE_EXPIRED");
  CHECK(reason(pki.Files("nobody", pki.ca, Pair(&pki.ca, "x", "https://example.com/", {}))) == "TLS_NO_IDENTITY");
}

}  // namespace
}  // namespace protector::rpc
