#include "simulators/flasharray/control/certificate.h"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <stdexcept>

namespace protector::fasim {
namespace {

constexpr long kTenYears = 10L * 365 * 24 * 3600;

void Check(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("certificate: ") + what);
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  Check(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, value.c_str());
  X509_EXTENSION_free(extension);
}

template <class Write>
void WriteFile(const std::string& path, mode_t mode, Write write) {
  // Written aside and renamed, so that a process killed now leaves no half a key behind.
  const std::string aside = path + ".tmp";
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(aside.c_str(), "w"), &std::fclose);
  Check(file != nullptr && ::fchmod(::fileno(file.get()), mode) == 0, path.c_str());
  Check(write(file.get()) == 1, path.c_str());
  file.reset();
  std::filesystem::rename(aside, path);
}

}  // namespace

CertificateFiles EnsureCertificate(const std::string& directory, const std::string& ip, const std::string& name) {
  std::filesystem::create_directories(directory);
  const CertificateFiles files{directory + "/cert.pem", directory + "/key.pem"};
  if (std::filesystem::exists(files.certificate) && std::filesystem::exists(files.key)) return files;

  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(X509_new(), &X509_free);
  Check(key && certificate, "out of memory");
  X509* const x509 = certificate.get();
  X509_set_version(x509, 2);
  unsigned char serial[8];
  Check(RAND_bytes(serial, sizeof(serial)) == 1, "no random numbers");
  serial[0] &= 0x7F;
  const std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> number(BN_bin2bn(serial, sizeof(serial), nullptr), &BN_free);
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509));
  X509_gmtime_adj(X509_getm_notBefore(x509), -86400);
  X509_gmtime_adj(X509_getm_notAfter(x509), kTenYears);
  X509_set_pubkey(x509, key.get());
  X509_NAME* subject = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(x509, subject);
  AddExtension(x509, NID_subject_alt_name, fmt::format("IP:{},DNS:localhost,DNS:{}", ip, name));
  AddExtension(x509, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(x509, NID_subject_key_identifier, "hash");
  Check(X509_sign(x509, key.get(), EVP_sha256()) > 0, "signing failed");
  WriteFile(files.key, 0600,
            [&](FILE* file) { return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  WriteFile(files.certificate, 0644, [&](FILE* file) { return PEM_write_X509(file, x509); });
  return files;
}

}  // namespace protector::fasim
