// The array's own certificate: made once, kept in the state directory, self-signed like a factory-new array's.
//
// Threads: called at start. Ownership: the files belong to the directory. Failure: throws std::runtime_error.
#pragma once

#include <string>

namespace protector::fasim {

struct CertificateFiles {
  std::string certificate, key;
};

// Makes cert.pem and key.pem (mode 0600) in `directory` unless they are there. Names: `ip`, localhost and `name`.
CertificateFiles EnsureCertificate(const std::string& directory, const std::string& ip, const std::string& name);

}  // namespace protector::fasim
