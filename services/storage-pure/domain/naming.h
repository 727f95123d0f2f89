#pragma once
// Names and marks of everything that this service makes on an array. They depend on what is asked only, so that a
// repeat meets the first attempt's object instead of making a second one.
//
// Threads: pure functions. Failure: none.

#include <cstdint>
#include <string>

namespace protector::storage {

// Namespace of our tags on volumes.
inline constexpr char kTagNamespace[] = "protector";
inline constexpr char kTagGroup[] = "group";
inline constexpr char kTagOperation[] = "operation";
inline constexpr char kTagMember[] = "member";
inline constexpr char kTagIndex[] = "index";

// A group of array `source` as `source`'s targets show it: "source:pg".
std::string FaceName(const std::string& source_array, const std::string& group);

// Suffix of an operation's recovery point: "protector-<operation>-<purpose>". Letters, digits, '-'; at most 63; has a
// letter. An operation id that does not fit stands there as a mark.
std::string PointSuffix(const std::string& operation_id, const std::string& purpose);
// The operation id in such a suffix; empty when it is not one of ours.
std::string OperationOfSuffix(const std::string& suffix);

// A volume made for a disk by an operation: "protector-<mark of operation and group>-<mark of member>-<index>".
std::string CloneName(const std::string& operation_id, const std::string& group_id, const std::string& member_id,
                      int32_t index);

// The pod that takes the place of one that is used up, made in an epoch: "pod-e3". Of "pod-e3" in epoch 5: "pod-e5".
std::string EpochPodName(const std::string& pod, int64_t epoch);

// The name without such an ending: "pod".
std::string PodFamily(const std::string& pod);

// A pod's recovery point: "pod@<milliseconds>".
std::string PodPointName(const std::string& pod, int64_t ms);
// The milliseconds of one; -1 when it is none.
int64_t MillisOfPodPoint(const std::string& point);

// "pod::vgroup/volume" -> "volume".
std::string BaseName(const std::string& volume);
// Cinder's id in a volume name of its form ("volume-<uuid>-cinder", with any prefix); empty: none.
std::string CinderIdOf(const std::string& volume);
// What Cinder calls a volume.
std::string CinderName(const std::string& cinder_id);

// "src:pg.suffix" -> "suffix"; "" without a dot.
std::string SuffixOf(const std::string& group_snapshot);

// Can this text be the name of an object on the array? Letters, digits and "_-:/." ("@" for pod points), 1 to 255
// bytes.
bool IsArrayObjectName(const std::string& text);
// 24 hex digits.
bool IsSerial(const std::string& text);
std::string UpperSerial(std::string serial);

}  // namespace protector::storage
