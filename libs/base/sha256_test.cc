#include "libs/base/sha256.h"

#include <catch2/catch.hpp>

namespace protector {

// Vectors of FIPS 180-4's examples.
TEST_CASE("SHA-256 of known texts") {
  CHECK(Sha256Hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Sha256Short("abc") == static_cast<int64_t>(0xba7816bf8f01cfeaU));
}

}  // namespace protector
