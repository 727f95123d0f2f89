#include "services/metadata-sync/domain/diff.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/reflection.h>

#include <map>

#include "libs/base/clock.h"

namespace protector::metadata_sync {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Leaves = std::map<std::string, std::string>;  // path -> text

void Flatten(const Message& message, const std::string& path, Leaves& leaves);

std::string Text(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection* r = message.GetReflection();
  const bool one = index < 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(one ? r->GetInt32(message, field) : r->GetRepeatedInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(one ? r->GetInt64(message, field) : r->GetRepeatedInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (one ? r->GetBool(message, field) : r->GetRepeatedBool(message, field, index)) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return (one ? r->GetEnum(message, field) : r->GetRepeatedEnum(message, field, index))->name();
    case FieldDescriptor::CPPTYPE_STRING:
      return one ? r->GetString(message, field) : r->GetRepeatedString(message, field, index);
    default:  // a kind that the document has not got yet is still shown, if not beautifully
      return message.ShortDebugString();
  }
}

// What an entry of a list is known by, besides its position. Empty: the position.
std::string KeyOf(const Message& entry) {
  const auto field = [&](const char* name) -> std::string {
    const FieldDescriptor* descriptor = entry.GetDescriptor()->FindFieldByName(name);
    return descriptor == nullptr ? "" : Text(entry, descriptor, -1);
  };
  const std::string& type = entry.GetDescriptor()->name();
  if (type == "Member") {
    const FieldDescriptor* server = entry.GetDescriptor()->FindFieldByName("server");
    const Message& spec = entry.GetReflection()->GetMessage(entry, server);
    const std::string name = Text(spec, spec.GetDescriptor()->FindFieldByName("name"), -1);
    return name.empty() ? field("id") : name;
  }
  if (type == "Placement") return field("site");
  if (type == "VolumeSpec" || type == "VolumePlacement") return field("index");
  if (type == "VolumePair") return field("member_id") + "/" + field("index");
  if (type == "MappingSet") return field("source_site") + "->" + field("target_site");
  if (type == "Mapping") return field("kind") + ":" + field("source");
  if (type == "PendingWork" || type == "Move") return field("operation_id");
  if (type == "FixedIp") return field("ip_address");
  return "";
}

std::string Timestamp(const Message& message) {
  const auto* seconds = message.GetDescriptor()->FindFieldByName("seconds");
  return Rfc3339(absl::FromUnixSeconds(message.GetReflection()->GetInt64(message, seconds)));
}

void FlattenMessage(const Message& message, const std::string& path, Leaves& leaves) {
  if (message.GetDescriptor()->full_name() == "google.protobuf.Timestamp") {
    leaves[path] = Timestamp(message);
  } else {
    Flatten(message, path, leaves);
  }
}

void FlattenMap(const Message& message, const FieldDescriptor* field, const std::string& path, Leaves& leaves) {
  const Reflection* r = message.GetReflection();
  for (int i = 0; i < r->FieldSize(message, field); ++i) {
    const Message& entry = r->GetRepeatedMessage(message, field, i);
    leaves[fmt::format("{}[{}]", path, Text(entry, field->message_type()->map_key(), -1))] =
        Text(entry, field->message_type()->map_value(), -1);
  }
}

void FlattenList(const Message& message, const FieldDescriptor* field, const std::string& path, Leaves& leaves) {
  const Reflection* r = message.GetReflection();
  std::map<std::string, int> seen;
  for (int i = 0; i < r->FieldSize(message, field); ++i) {
    const Message& entry = r->GetRepeatedMessage(message, field, i);
    std::string key = KeyOf(entry);
    if (key.empty()) key = std::to_string(i);
    if (const int before = seen[key]++; before > 0) key += fmt::format("#{}", before + 1);
    const std::string entry_path = fmt::format("{}[{}]", path, key);
    leaves[entry_path] = "present";  // an entry whose fields are all empty still shows when it comes or goes
    FlattenMessage(entry, entry_path, leaves);
  }
}

void Flatten(const Message& message, const std::string& path, Leaves& leaves) {
  const Reflection* r = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  r->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string name = path.empty() ? field->name() : path + "." + field->name();
    if (field->is_map()) {
      FlattenMap(message, field, name, leaves);
    } else if (field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      FlattenList(message, field, name, leaves);
    } else if (field->is_repeated()) {
      std::vector<std::string> texts;
      for (int i = 0; i < r->FieldSize(message, field); ++i) texts.push_back(Text(message, field, i));
      leaves[name] = fmt::format("[{}]", fmt::join(texts, ", "));
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      FlattenMessage(r->GetMessage(message, field), name, leaves);
    } else {
      leaves[name] = Text(message, field, -1);
    }
  }
}

}  // namespace

std::vector<pb::FieldDiff> DiffDocuments(const Document& from, const Document& to) {
  Leaves old_leaves;
  Leaves new_leaves;
  Flatten(from, "", old_leaves);
  Flatten(to, "", new_leaves);
  std::map<std::string, pb::FieldDiff> diffs;
  for (const auto& [path, text] : old_leaves) {
    const auto found = new_leaves.find(path);
    if (found != new_leaves.end() && found->second == text) continue;
    diffs[path].set_from(text);
    diffs[path].set_to(found == new_leaves.end() ? "" : found->second);
  }
  for (const auto& [path, text] : new_leaves) {
    if (old_leaves.count(path) == 0) diffs[path].set_to(text);
  }
  std::vector<pb::FieldDiff> result;
  for (auto& [path, diff] : diffs) {
    diff.set_path(path);
    result.push_back(std::move(diff));
  }
  return result;
}

}  // namespace protector::metadata_sync
