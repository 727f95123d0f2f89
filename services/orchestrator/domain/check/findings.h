#pragma once
// Collecting findings of one site, each named once.
//
// Threads: one. Failure: none.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protector/peer/v1/peer.pb.h"

namespace protector::orchestrator {

class Findings {
 public:
  explicit Findings(std::string site) : site_(std::move(site)) {}

  void Ok(const std::string& check, const std::string& object, const std::string& detail) {
    Add(check, object, peer::Finding::OK, detail, "");
  }
  void Warning(const std::string& check, const std::string& object, const std::string& detail,
               const std::string& remedy) {
    Add(check, object, peer::Finding::WARNING, detail, remedy);
  }
  void Blocker(const std::string& check, const std::string& object, const std::string& detail,
               const std::string& remedy) {
    Add(check, object, peer::Finding::BLOCKER, detail, remedy);
  }
  std::vector<peer::Finding> Take() { return std::move(findings_); }

 private:
  // Ten members on one network give one finding for the network, not ten.
  void Add(const std::string& check, const std::string& object, peer::Finding::Severity severity,
           const std::string& detail, const std::string& remedy) {
    if (!seen_.emplace(check, object + "\n" + detail).second) return;
    peer::Finding finding;
    finding.set_check(check);
    finding.set_object(object);
    finding.set_severity(severity);
    finding.set_detail(detail);
    finding.set_remedy(remedy);
    finding.set_site(site_);
    findings_.push_back(std::move(finding));
  }

  const std::string site_;
  std::set<std::pair<std::string, std::string>> seen_;
  std::vector<peer::Finding> findings_;
};

}  // namespace protector::orchestrator
