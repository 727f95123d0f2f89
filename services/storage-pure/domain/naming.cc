#include "services/storage-pure/domain/naming.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "libs/base/ids.h"

namespace protector::storage {
namespace {

constexpr char kOurs[] = "protector-";
constexpr size_t kMaxEmbeddedOperation = 40;
constexpr size_t kMaxPurpose = 12;

bool IsPlain(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
}

}  // namespace

std::string FaceName(const std::string& source_array, const std::string& group) {
  return source_array + ":" + group;
}

std::string PointSuffix(const std::string& operation_id, const std::string& purpose) {
  const bool fits = IsPlain(operation_id) && operation_id.size() <= kMaxEmbeddedOperation;
  const std::string operation = fits ? operation_id : DerivedMark(operation_id, 32);
  const std::string what =
      IsPlain(purpose) && purpose.size() <= kMaxPurpose ? purpose : DerivedMark(purpose, kMaxPurpose);
  return kOurs + operation + "-" + what;
}

std::string OperationOfSuffix(const std::string& suffix) {
  const size_t begin = sizeof(kOurs) - 1;
  const size_t end = suffix.rfind('-');
  if (!suffix.starts_with(kOurs) || end == std::string::npos || end <= begin) return "";
  return suffix.substr(begin, end - begin);
}

std::string CloneName(const std::string& operation_id, const std::string& group_id, const std::string& member_id,
                      int32_t index) {
  return fmt::format("{}{}-{}-{}", kOurs, DerivedMark(operation_id + "/" + group_id, 12), DerivedMark(member_id, 12),
                     index);
}

std::string PodFamily(const std::string& pod) {
  const size_t mark = pod.rfind("-e");
  if (mark == std::string::npos || mark == 0 || mark + 2 == pod.size()) return pod;
  const bool number = std::all_of(pod.begin() + static_cast<std::ptrdiff_t>(mark) + 2, pod.end(),
                                  [](unsigned char c) { return std::isdigit(c) != 0; });
  return number ? pod.substr(0, mark) : pod;
}

std::string EpochPodName(const std::string& pod, int64_t epoch) {
  return fmt::format("{}-e{}", PodFamily(pod), epoch);
}

std::string PodPointName(const std::string& pod, int64_t ms) {
  return fmt::format("{}@{}", pod, ms);
}

int64_t MillisOfPodPoint(const std::string& point) {
  const size_t at = point.rfind('@');
  if (at == std::string::npos) return -1;
  int64_t ms = -1;
  const char* const end = point.data() + point.size();
  const auto result = std::from_chars(point.data() + at + 1, end, ms);
  return result.ec == std::errc() && result.ptr == end ? ms : -1;
}

std::string BaseName(const std::string& volume) {
  const size_t pod = volume.rfind("::");
  const std::string rest = pod == std::string::npos ? volume : volume.substr(pod + 2);
  const size_t vgroup = rest.rfind('/');
  return vgroup == std::string::npos ? rest : rest.substr(vgroup + 1);
}

std::string CinderIdOf(const std::string& volume) {
  constexpr char kPrefix[] = "volume-";
  constexpr char kSuffix[] = "-cinder";
  const std::string base = BaseName(volume);
  if (!base.starts_with(kPrefix) || !base.ends_with(kSuffix)) return "";
  const size_t affixes = sizeof(kPrefix) - 1 + sizeof(kSuffix) - 1;
  if (base.size() <= affixes) return "";
  const std::string id = base.substr(sizeof(kPrefix) - 1, base.size() - affixes);
  return IsUuid(id) ? id : "";
}

std::string CinderName(const std::string& cinder_id) {
  return "volume-" + cinder_id + "-cinder";
}

std::string SuffixOf(const std::string& group_snapshot) {
  const size_t dot = group_snapshot.find('.');
  return dot == std::string::npos ? "" : group_snapshot.substr(dot + 1);
}

bool IsArrayObjectName(const std::string& text) {
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == ':' || c == '/' || c == '.' || c == '@';
  });
}

bool IsSerial(const std::string& text) {
  return text.size() == 24 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string UpperSerial(std::string serial) {
  std::transform(serial.begin(), serial.end(), serial.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return serial;
}

}  // namespace protector::storage
