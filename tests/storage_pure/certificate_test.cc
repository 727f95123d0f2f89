// Who may pass for the array. The API token is sent to nobody else.
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "libs/base/sha256.h"
#include "tests/storage_pure/two_sites.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

namespace protector::storage {
namespace {

std::string Fingerprint(const std::filesystem::path& pem) {
  FILE* const file = fopen(pem.c_str(), "r");
  REQUIRE(file != nullptr);
  X509* const certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  fclose(file);
  REQUIRE(certificate != nullptr);
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  const std::string digest = Sha256Hex(std::string(reinterpret_cast<char*>(der), static_cast<size_t>(size)));
  OPENSSL_free(der);
  X509_free(certificate);
  return digest;
}

}  // namespace

TEST_CASE("the array's certificate is checked against file or fingerprint, and a wrong one gets no token") {
  TwoSites sites;
  const std::string right = Fingerprint(sites.a->directory() / "array" / "cert.pem");
  const std::string wrong = Fingerprint(sites.b->directory() / "array" / "cert.pem");
  const auto reason = [&](const std::string& tls) {
    sites.a->KillService();
    sites.a->StartService(tls);
    std::string seen;
    sites.Wait([&] {
      seen = ReasonOf(sites.a->Call(&Stub::GetArray, v1::GetArrayRequest(), absl::Seconds(20)).status());
      return seen != "SERVICE_UNREACHABLE" && seen != "SERVICE_TIMEOUT";
    });
    return seen;
  };
  CHECK(reason(fmt::format("  fingerprint: \"{}\"\n", right)).empty());
  CHECK(reason(fmt::format("  fingerprint: \"{}\"\n", wrong)) == "ARRAY_UNREACHABLE");
  CHECK(reason(fmt::format("  ca_file: {}\n", (sites.b->directory() / "array" / "cert.pem").string())) ==
        "ARRAY_UNREACHABLE");
  CHECK(reason("  request_timeout: 30s\n") == "ARRAY_UNREACHABLE");  // the system's authorities do not know it
  CHECK(reason("  insecure: true\n").empty());
  std::ifstream log(sites.a->directory() / "service.log");
  std::stringstream text;
  text << log.rdbuf();
  CHECK(text.str().find("array call") != std::string::npos);
  CHECK(text.str().find("contract-test-array-token") == std::string::npos);
}

}  // namespace protector::storage
