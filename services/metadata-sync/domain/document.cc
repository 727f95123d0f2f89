#include "services/metadata-sync/domain/document.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/message_differencer.h>

#include "libs/base/error.h"
#include "libs/base/ids.h"
#include "services/metadata-sync/domain/errors.h"

namespace protector::metadata_sync {
namespace {

bool IsSite(const std::string& name, const Sites& sites) {
  return name == sites.local || name == sites.peer;
}

absl::Status Field(const Document& document, const std::string& field, const std::string& fault) {
  return Invalid("protection group " + (document.name().empty() ? document.id() : document.name()),
                 fmt::format("{}: {}", field, fault), "Correct the field and repeat the change.");
}

}  // namespace

absl::Status CheckDocument(const Document& document, const Sites& sites) {
  if (!IsUuid(document.id())) return Field(document, "id", "has to be a UUID");
  if (!IsResourceName(document.name())) {
    return Field(document, "name", "1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit");
  }
  for (const auto& [field, site] : {std::pair<const char*, std::string>{"primary_site", document.primary_site()},
                                    {"home_site", document.home_site()},
                                    {"peer_site", document.peer_site()}}) {
    if (!IsSite(site, sites)) {
      return Field(document, field, fmt::format("\"{}\" is neither {} nor {}", site, sites.local, sites.peer));
    }
  }
  if (document.home_site() == document.peer_site()) return Field(document, "peer_site", "is the home site");
  for (const std::string& site : {sites.local, sites.peer}) {
    const auto project = document.projects().find(site);
    if (project == document.projects().end() || project->second.empty() ||
        project->second.find('/') != std::string::npos) {
      return Field(document, "projects", fmt::format("has no valid project id for {}", site));
    }
  }
  if (document.epoch() < 1) return Field(document, "epoch", "starts at 1");
  return absl::OkStatus();
}

std::string Serialise(const Document& document) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    document.SerializeToCodedStream(&coded);
  }
  return bytes;
}

absl::StatusOr<Document> ParseDocument(const std::string& bytes, const std::string& object) {
  Document document;
  if (document.ParseFromString(bytes)) return document;
  return Error(absl::StatusCode::kDataLoss, "DOCUMENT_UNREADABLE", object + " cannot be read")
      .Object(object)
      .Remedy("Put back a backup of this site's database, or force a sync from the other site.");
}

bool SameContent(const Document& a, const Document& b) {
  Document left = a;
  Document right = b;
  left.clear_update_time();
  right.clear_update_time();
  left.clear_create_time();
  right.clear_create_time();
  return google::protobuf::util::MessageDifferencer::Equals(left, right);
}

absl::StatusOr<Document> CheckVersion(const pb::Version& version, const Sites& sites) {
  const std::string object = fmt::format("protection group {} version {}", version.group_id(), version.version());
  const auto broken = [&](const char* what) {
    return Invalid(object, fmt::format("{} is not a sound version: {}", object, what),
                   "It was altered or made by an incompatible program; take it from the other site again.");
  };
  if (version.version() < 1) return broken("its number is not positive");
  if (version.hash() != VersionHash(version)) return broken("its hash does not fit its content");
  PROTECTOR_ASSIGN_OR_RETURN(Document document, ParseDocument(version.content(), object));
  PROTECTOR_RETURN_IF_ERROR(CheckDocument(document, sites));
  if (document.id() != version.group_id()) return broken("its document belongs to another group");
  if (document.epoch() != version.epoch()) return broken("its document is of another epoch");
  if (document.primary_site() != version.author_site()) return broken("its author is not its primary site");
  return document;
}

pb::Head HeadOf(const pb::Version& version, const Document& document) {
  pb::Head head = HeadOf(version);
  head.set_group_name(document.name());
  head.set_deleted(document.deleted());
  return head;
}

}  // namespace protector::metadata_sync
