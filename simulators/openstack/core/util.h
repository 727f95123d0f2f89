// Small helpers that every part of openstack-sim uses: ids, times in the forms OpenStack's services print, globs.
// Threads: all functions may be called from any thread. Failure: none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace protector::ossim {

int64_t NowMs();

// A random (version 4) UUID, with dashes; HexId is the same without, as Keystone's ids are.
std::string NewUuid();
std::string NewHexId();
uint64_t RandomU64();
double RandomUnit();                    // [0, 1)
std::string RandomText(size_t length);  // URL-safe characters
std::string RandomMac(const std::string& prefix);

std::string IsoSeconds(int64_t ms);         // 2026-11-23T14:29:20Z          nova, neutron, glance
std::string IsoMicros(int64_t ms);          // 2026-11-23T14:29:20.123000    cinder
std::string IsoMicrosZ(int64_t ms);         // 2026-11-23T14:29:20.123000Z   keystone
int64_t ParseIso(const std::string& text);  // ms; 0 when it is not a time

bool GlobMatch(const std::string& pattern, const std::string& text);
std::vector<std::string> Split(const std::string& text, char separator, bool keep_empty = false);
std::string Lower(std::string text);
bool LooksLikeUuid(const std::string& text);  // with or without dashes
std::string Sha256Hex(const std::string& text);

}  // namespace protector::ossim
