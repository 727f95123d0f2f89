#pragma once
// Checks of what users type, made before anything is asked of any service.
//
// Threads: pure functions. Failure: a USAGE error naming the argument.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace protector::cli {

// Every word has to be valid UTF-8 without control characters, and at most 64 KiB.
absl::Status CheckWords(const std::vector<std::string>& words);

// A name or id of something that exists: not empty, at most 255 bytes.
absl::Status CheckReference(const std::string& what, const std::string& text);

// A name for something new: 1-63 of letters, digits, '.', '_', '-', beginning with a letter or digit.
absl::Status CheckNewName(const std::string& what, const std::string& text);

// At most `limit` bytes.
absl::Status CheckText(const std::string& what, const std::string& text, size_t limit);

absl::Status CheckUuid(const std::string& what, const std::string& text);

// "host:port" with a port of 1..65535.
absl::Status CheckEndpoint(const std::string& what, const std::string& text);

// http:// or https:// with a host.
absl::Status CheckUrl(const std::string& what, const std::string& text);

// "SITE=PROJECT" into its halves.
struct SiteProject {
  std::string site;
  std::string project;
};
absl::StatusOr<SiteProject> ParseSiteProject(const std::string& text);

}  // namespace protector::cli
