#pragma once
// What a program of the suite proves to be with its certificate: one URI among the certificate's subject alternative
// names, spiffe://protector/SITE/PROGRAM, e.g. spiffe://protector/site-a/orchestrator (the form of SPIFFE ids, see
// https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md; "protector" is the trust domain).
//
// Threads: values. Failure: none.

#include <compare>
#include <optional>
#include <string>

namespace protector::rpc {

// The program name in the certificate of who runs the command line.
inline constexpr char kCommandLine[] = "cli";

struct Identity {
  std::string site = "";     // as registered, e.g. "site-a"
  std::string program = "";  // "site-registry", "metadata-sync", "orchestrator", "storage-pure" or kCommandLine

  bool empty() const { return site.empty() && program.empty(); }
  // "spiffe://protector/site-a/orchestrator"
  std::string Uri() const;
  // "orchestrator of site-a"; "nobody" when empty.
  std::string Name() const;
  auto operator<=>(const Identity&) const = default;
};

// nullopt: the URI is not one of ours.
std::optional<Identity> ParseIdentity(const std::string& uri);

// Whether a program that proves to be `found` may stand for `wanted`, in which an empty part means "any".
bool Answers(const Identity& found, const Identity& wanted);

}  // namespace protector::rpc
