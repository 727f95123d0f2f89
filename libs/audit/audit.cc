#include "libs/audit/audit.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <stop_token>
#include <thread>

#include "libs/base/error.h"
#include "libs/grpc/client.h"
#include "libs/grpc/unary.h"
#include "libs/store/sqlite_store.h"
#include "protector/audit/v1/audit.grpc.pb.h"

namespace protector::audit {
namespace {

constexpr size_t kMostOfRequest = 4096;
constexpr absl::Duration kTellTimeout = absl::Seconds(5);
constexpr absl::Duration kTellPause = absl::Seconds(1);   // several changes are told of at once
constexpr absl::Duration kTellAgain = absl::Seconds(30);  // after a peer that did not answer

using Stub = pb::AuditService::StubInterface;

// "GroupService/CreateGroup" -> "CreateGroup"
std::string ShortName(const std::string& method) {
  return method.substr(method.rfind('/') + 1);
}

pb::Record RecordOf(pb::Kind kind, const rpc::CallContext& call) {
  pb::Record record;
  record.set_kind(kind);
  if (call.proven != nullptr) {
    record.set_user_id(call.proven->id);
    record.set_user(call.proven->name);
    record.set_domain(call.proven->domain);
    record.set_project_id(call.proven->project.project_id);
    record.set_project(call.proven->project.project_name);
    record.set_token_site(call.proven->project.site);
    for (const std::string& role : call.proven->roles) record.add_roles(role);
  }
  record.set_from(call.peer);
  record.set_caller(call.caller.Name());
  record.set_what(ShortName(call.method));
  record.set_request_id(call.request_id);
  return record;
}

void SetOutcome(const absl::Status& status, pb::Record& record) {
  const std::string reason = DetailOf(status).reason;
  record.set_outcome(status.ok() ? "OK" : reason.empty() ? absl::StatusCodeToString(status.code()) : reason);
  if (!status.ok()) record.set_message(MessageOf(status));
}

void AddField(const google::protobuf::Message& message, const char* name, std::string& text) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated()) return;
  const auto* reflection = message.GetReflection();
  std::string value;
  if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
    value = reflection->GetString(message, field);
  } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_INT64) {
    value = std::to_string(reflection->GetInt64(message, field));
  } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_ENUM) {
    value = reflection->GetEnum(message, field)->name();
  }
  if (!value.empty()) text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
}

class AuditTransport final : public pb::AuditService::CallbackService {
 public:
  AuditTransport(rpc::Host& host, AuditLog& log, std::function<void(pb::VerifyRecordsResponse&)> ask_peer)
      : host_(host), log_(log), ask_peer_(std::move(ask_peer)) {}

  ::grpc::ServerUnaryReactor* ListRecords(::grpc::CallbackServerContext* context, const pb::ListRecordsRequest* request,
                                          pb::ListRecordsResponse* response) override {
    return rpc::Unary(host_, context, request, response, "AuditService/ListRecords",
                      [this](const rpc::CallContext&, const pb::ListRecordsRequest& r) { return log_.List(r); });
  }
  ::grpc::ServerUnaryReactor* VerifyRecords(::grpc::CallbackServerContext* context,
                                            const pb::VerifyRecordsRequest* request,
                                            pb::VerifyRecordsResponse* response) override {
    return rpc::Unary(
        host_, context, request, response, "AuditService/VerifyRecords",
        [this](const rpc::CallContext&,
               const pb::VerifyRecordsRequest& r) -> absl::StatusOr<pb::VerifyRecordsResponse> {
          PROTECTOR_ASSIGN_OR_RETURN(pb::VerifyRecordsResponse found, log_.Verify({r.known_number(), r.known_hash()}));
          ask_peer_(found);
          return found;
        });
  }
  ::grpc::ServerUnaryReactor* NoteHead(::grpc::CallbackServerContext* context, const pb::NoteHeadRequest* request,
                                       pb::NoteHeadResponse* response) override {
    return rpc::Unary(
        host_, context, request, response, "AuditService/NoteHead",
        [this](const rpc::CallContext&, const pb::NoteHeadRequest& r) -> absl::StatusOr<pb::NoteHeadResponse> {
          PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::ChainEnd> noted, log_.Noted());
          if (r.has_end()) PROTECTOR_RETURN_IF_ERROR(log_.Note(r.end()));
          pb::NoteHeadResponse answer;
          answer.mutable_noted()->Assign(noted.begin(), noted.end());
          return answer;
        });
  }

 private:
  rpc::Host& host_;
  AuditLog& log_;
  const std::function<void(pb::VerifyRecordsResponse&)> ask_peer_;
};

}  // namespace

config::Schema AuditConfigKeys() {
  config::Schema schema;
  schema.Add(
      {.path = "audit.path",
       .doc = "The SQLite file that holds the record of changes and decisions; empty: audit.db beside store.path.",
       .default_value = ""});
  return schema;
}

std::vector<std::pair<std::set<rpc::Caller>, std::vector<std::string>>> AuditRows(const std::string& program) {
  return {{{rpc::Everywhere(rpc::kCommandLine)}, {"ListRecords", "VerifyRecords"}},
          {{rpc::There(program)}, {"NoteHead"}}};
}

users::Targets AuditTargets() {
  return {{"ListRecords", "audit:list"}, {"VerifyRecords", "audit:verify"}};
}

std::string RequestText(const google::protobuf::Message& request) {
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(request, &text, options).ok()) return "";
  if (text.size() <= kMostOfRequest) return text;
  size_t end = kMostOfRequest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end);
}

std::string EvidenceText(const google::protobuf::Message& response) {
  std::string text;
  for (const char* name : {"id", "version", "versions_sent", "result"}) AddField(response, name, text);
  const auto* document = response.GetDescriptor()->FindFieldByName("document");
  if (document != nullptr && document->message_type() != nullptr && !document->is_repeated()) {
    AddField(response.GetReflection()->GetMessage(response, document), "id", text);
  }
  return text;
}

struct Audit::Parts {
  Parts(const rpc::Environment& environment, std::string program_name, std::set<std::string> methods,
        users::PeerAddress peer_address, std::unique_ptr<AuditLog> log)
      : logger(environment.logger),
        security(environment.security),
        program(std::move(program_name)),
        recorded(std::move(methods)),
        peer(std::move(peer_address)),
        records(std::move(log)),
        transport(environment.host, *records, [this](pb::VerifyRecordsResponse& found) { CompareWithPeer(found); }) {}

  absl::StatusOr<pb::NoteHeadResponse> AskPeer(const pb::NoteHeadRequest& request) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::string address, peer({}));
    auto stub = pb::AuditService::NewStub(connectors.Get(address, {"", program}, security));
    return rpc::Call(static_cast<Stub&>(*stub), &Stub::NoteHead, request,
                     rpc::CallOptions(kTellTimeout, fmt::format("{} of the other site at {}", program, address)));
  }

  absl::Status Tell(const Head& head) {
    pb::NoteHeadRequest request;
    PROTECTOR_ASSIGN_OR_RETURN(*request.mutable_end()->mutable_first_hash(), records->FirstHash());
    request.mutable_end()->set_number(head.number);
    request.mutable_end()->set_hash(head.hash);
    return AskPeer(request).status();
  }

  void CompareWithPeer(pb::VerifyRecordsResponse& found) {
    const auto answer = AskPeer({});
    const auto first = records->FirstHash();
    if (!answer.ok() || !first.ok()) {
      found.set_witness_problem(MessageOf(answer.ok() ? first.status() : answer.status()));
      return;
    }
    for (const pb::ChainEnd& end : answer->noted()) {
      if (end.first_hash() != *first) {
        *found.add_replaced() = end;
        continue;
      }
      found.set_witnessed(end.number());
      const auto again = records->Verify({end.number(), end.hash()});
      if (!found.intact() || !again.ok() || again->intact()) continue;
      found.set_intact(false);
      found.set_first_wrong(again->first_wrong());
      found.set_problem(again->problem() + " (the other site noted it)");
    }
  }

  void KeepTelling(const std::stop_token& stop) {
    int64_t told = 0;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      changed.wait(lock, stop, [&] { return records->head().number > told; });
      // More may follow at once.
      changed.wait_for(lock, stop, absl::ToChronoMilliseconds(kTellPause), [] { return false; });
      if (stop.stop_requested()) return;
      lock.unlock();
      const Head head = records->head();
      const absl::Status answer = Tell(head);
      lock.lock();
      if (answer.ok()) {
        told = head.number;
      } else {
        changed.wait_for(lock, stop, absl::ToChronoMilliseconds(kTellAgain), [] { return false; });
      }
    }
  }

  const log::Logger logger;
  const rpc::Security& security;
  const std::string program;
  const std::set<std::string> recorded;
  const users::PeerAddress peer;
  const std::unique_ptr<AuditLog> records;
  AuditTransport transport;
  std::mutex mutex;
  std::condition_variable_any changed;
  rpc::Connectors connectors;
  std::jthread telling;  // last: uses the others
};

Audit::Audit(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {
  parts_->telling = std::jthread([this](const std::stop_token& stop) { parts_->KeepTelling(stop); });
}
Audit::~Audit() = default;

::grpc::Service* Audit::service() {
  return &parts_->transport;
}

AuditLog& Audit::log() {
  return *parts_->records;
}

absl::StatusOr<std::unique_ptr<Audit>> Audit::Make(const rpc::Environment& environment, const std::string& program,
                                                   const std::set<std::string>& recorded, users::PeerAddress peer) {
  std::string path = environment.config.GetString("audit.path");
  if (path.empty()) {
    path = std::filesystem::path(environment.config.GetString("store.path")).parent_path() / "audit.db";
  }
  // Not checked as a whole at the start: a record that somebody altered is `audit verify`'s to tell, and no reason for
  // not failing over.
  PROTECTOR_ASSIGN_OR_RETURN(auto store,
                             store::OpenSqlite({.path = path, .integrity_check = false}, environment.clock));
  PROTECTOR_ASSIGN_OR_RETURN(auto log, AuditLog::Open(std::move(store), environment.clock, program, environment.site));
  std::unique_ptr<Audit> audit(
      new Audit(std::make_unique<Parts>(environment, program, recorded, std::move(peer), std::move(log))));
  environment.host.SetAuditSink(*audit);
  return audit;
}

bool Audit::Records(const std::string& method) const {
  return parts_->recorded.contains(method);
}

absl::StatusOr<Head> Audit::Append(pb::Record record) {
  std::vector<log::Field> fields = {{"what", record.what()},       {"kind", pb::Kind_Name(record.kind())},
                                    {"user", record.user()},       {"project", record.project()},
                                    {"outcome", record.outcome()}, {"request_id", record.request_id()}};
  const absl::StatusOr<Head> head = parts_->records->Append(std::move(record));
  if (!head.ok()) {
    parts_->logger.Error("an audit record cannot be written", head.status(), std::move(fields));
    return head;
  }
  // The chain's end, where whoever owns this service's files cannot reach it: in the log that is shipped away.
  fields.emplace_back("number", head->number);
  fields.emplace_back("hash", head->hash);
  parts_->logger.Info("audit", std::move(fields));
  { const std::lock_guard lock(parts_->mutex); }  // not between its look at the chain and its sleep
  parts_->changed.notify_one();
  return head;
}

absl::StatusOr<int64_t> Audit::Begin(const rpc::CallContext& call, const google::protobuf::Message& request) {
  pb::Record record = RecordOf(pb::BEGUN, call);
  record.set_request(RequestText(request));
  const absl::StatusOr<Head> head = Append(std::move(record));
  if (head.ok()) return head->number;
  return Annotate(head.status(), "the change cannot be put on record, so it is not made");
}

void Audit::End(int64_t begun, const rpc::CallContext& call, const absl::Status& outcome,
                const google::protobuf::Message* response) {
  pb::Record record = RecordOf(pb::ENDED, call);
  record.set_begun(begun);
  SetOutcome(outcome, record);
  if (response != nullptr) record.set_evidence(EvidenceText(*response));
  (void)Append(std::move(record));  // a failure is in the log
}

void Audit::Refused(const rpc::CallContext& call, const google::protobuf::Message& request,
                    const absl::Status& reason) {
  pb::Record record = RecordOf(pb::REFUSED, call);
  record.set_request(RequestText(request));
  SetOutcome(reason, record);
  (void)Append(std::move(record));
}

void Audit::Decided(const std::string& what, const std::string& about, const std::string& evidence,
                    const std::string& request_id) {
  pb::Record record;
  record.set_kind(pb::DECISION);
  record.set_what(what);
  record.set_request(about);
  record.set_evidence(evidence);
  record.set_outcome("OK");
  record.set_request_id(request_id);
  (void)Append(std::move(record));
}

}  // namespace protector::audit
