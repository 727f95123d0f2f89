#include "services/metadata-sync/domain/queries.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "libs/base/error.h"
#include "services/metadata-sync/domain/diff.h"
#include "services/metadata-sync/domain/errors.h"

namespace protector::metadata_sync {
namespace {

constexpr int kDefaultPage = 100;
constexpr int kMaxPage = 1000;
// An answer of versions stays well below the message limit, whatever the documents weigh.
constexpr size_t kMaxExportBytes = 16U << 20U;

int PageSize(int asked) {
  return asked <= 0 ? kDefaultPage : std::min(asked, kMaxPage);
}

// Page tokens are positions in the listed order.
absl::StatusOr<size_t> Position(const std::string& token) {
  uint64_t position = 0;
  if (token.empty()) return size_t{0};
  if (absl::SimpleAtoi(token, &position)) return static_cast<size_t>(position);
  return Invalid("page_token", "the page token is not one of ours", "Begin again without a token.");
}

}  // namespace

absl::StatusOr<pb::GetDocumentResponse> Queries::Load(const std::string& group, int64_t version) {
  PROTECTOR_ASSIGN_OR_RETURN(const StoredHead stored, repository_.Head(group));
  if (stored.head.version() == 0) return GroupNotFound(group);
  pb::GetDocumentResponse response;
  PROTECTOR_ASSIGN_OR_RETURN(*response.mutable_version(),
                             repository_.Version(group, version == 0 ? stored.head.version() : version));
  PROTECTOR_ASSIGN_OR_RETURN(*response.mutable_document(), repository_.DocumentOf(response.version()));
  response.mutable_version()->clear_content();
  return response;
}

absl::StatusOr<pb::GetDocumentResponse> Queries::GetDocument(const pb::GetDocumentRequest& request) {
  std::string group = request.group_id();
  if (group.empty()) {
    if (request.name().empty()) return Invalid("group_id", "a group id or a name is needed", "Give one of them.");
    PROTECTOR_ASSIGN_OR_RETURN(group, repository_.FindByName(request.project_id(), request.name()));
  }
  return Load(group, request.version());
}

absl::StatusOr<pb::ListDocumentsResponse> Queries::ListDocuments(const pb::ListDocumentsRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const size_t begin, Position(request.page_token()));
  std::vector<std::string> groups;
  if (!request.project_id().empty() && !request.include_deleted()) {
    PROTECTOR_ASSIGN_OR_RETURN(groups, repository_.GroupsOf(request.project_id()));
  } else {
    PROTECTOR_ASSIGN_OR_RETURN(std::vector<pb::Head> heads, repository_.Heads());
    std::sort(heads.begin(), heads.end(), [](const pb::Head& a, const pb::Head& b) {
      return std::tie(a.group_name(), a.group_id()) < std::tie(b.group_name(), b.group_id());
    });
    for (const pb::Head& head : heads) {
      if (request.include_deleted() || !head.deleted()) groups.push_back(head.group_id());
    }
  }
  pb::ListDocumentsResponse response;
  const auto size = static_cast<size_t>(PageSize(request.page_size()));
  size_t at = begin;
  for (; at < groups.size() && static_cast<size_t>(response.documents_size()) < size; ++at) {
    absl::StatusOr<pb::GetDocumentResponse> document = Load(groups[at], 0);
    PROTECTOR_RETURN_IF_ERROR(document.status());
    const auto project = document->document().projects().find(repository_.sites().local);
    const bool wanted = request.project_id().empty() ||
                        (project != document->document().projects().end() && project->second == request.project_id());
    if (wanted) *response.add_documents() = *std::move(document);
  }
  if (at < groups.size()) response.set_next_page_token(std::to_string(at));
  return response;
}

absl::StatusOr<pb::ListHeadsResponse> Queries::ListHeads(const pb::ListHeadsRequest& request) {
  pb::ListHeadsResponse response;
  response.set_site(repository_.sites().local);
  if (request.group_ids().empty()) {
    PROTECTOR_ASSIGN_OR_RETURN(const std::vector<pb::Head> heads, repository_.Heads());
    for (const pb::Head& head : heads) *response.add_heads() = head;
    return response;
  }
  for (const std::string& group : request.group_ids()) {
    PROTECTOR_ASSIGN_OR_RETURN(const StoredHead stored, repository_.Head(group));
    if (stored.head.version() > 0) *response.add_heads() = stored.head;
  }
  return response;
}

absl::StatusOr<pb::ExportVersionsResponse> Queries::ExportVersions(const pb::ExportVersionsRequest& request) {
  pb::ExportVersionsResponse response;
  int64_t after = std::max<int64_t>(0, request.after_version());
  size_t bytes = 0;
  for (int left = PageSize(request.limit()); left > 0 && bytes < kMaxExportBytes; --left) {
    PROTECTOR_ASSIGN_OR_RETURN(std::vector<pb::Version> next, repository_.After(request.group_id(), after, 1));
    if (next.empty()) break;
    after = next.front().version();
    bytes += next.front().content().size();
    *response.add_versions() = std::move(next.front());
  }
  return response;
}

absl::StatusOr<pb::ListHistoryResponse> Queries::ListHistory(const pb::ListHistoryRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const size_t begin, Position(request.page_token()));
  PROTECTOR_ASSIGN_OR_RETURN(std::vector<pb::HistoryEntry> history, repository_.History(request.group_id()));
  if (history.empty()) return GroupNotFound(request.group_id());
  std::reverse(history.begin(), history.end());
  PROTECTOR_ASSIGN_OR_RETURN(const pb::SyncStatus sync, repository_.Sync(request.group_id()));
  const size_t end = std::min(history.size(), begin + static_cast<size_t>(PageSize(request.page_size())));
  pb::ListHistoryResponse response;
  for (size_t at = begin; at < end; ++at) {
    pb::HistoryEntry* entry = response.add_entries();
    *entry = history[at];
    // A peer that has a later version of the chain has this one, too.
    if (!entry->superseded() && sync.state() == pb::IN_SYNC && entry->version().version() <= sync.remote().version()) {
      entry->set_peer_has_it(true);
    }
  }
  if (end < history.size()) response.set_next_page_token(std::to_string(end));
  return response;
}

absl::StatusOr<pb::DiffVersionsResponse> Queries::DiffVersions(const pb::DiffVersionsRequest& request) {
  PROTECTOR_ASSIGN_OR_RETURN(const pb::GetDocumentResponse to, Load(request.group_id(), request.to()));
  const int64_t number = request.from() == 0 ? to.version().version() - 1 : request.from();
  pb::DiffVersionsResponse response;
  *response.mutable_to() = to.version();
  Document from;  // before version 1 there was nothing
  if (number > 0) {
    PROTECTOR_ASSIGN_OR_RETURN(const pb::GetDocumentResponse older, Load(request.group_id(), number));
    *response.mutable_from() = older.version();
    from = older.document();
  }
  for (pb::FieldDiff& field : DiffDocuments(from, to.document())) *response.add_fields() = std::move(field);
  return response;
}

}  // namespace protector::metadata_sync
