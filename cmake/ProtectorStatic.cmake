# Programs that are started for every single command: gRPC, protobuf, Abseil and yaml-cpp are linked from their archives, because loading
# sixty shared libraries costs more than the command itself. The packages' CMake targets are shared only, so the
# archives are listed by hand: gRPC's as its pkg-config file gives them for static linking.

# protector_static_program(NAME SOURCES main.cc LIBS protector_x ...)  ->  bin/NAME
# LIBS are targets of this project; what they need of each other is found, what they need of others is in the list below.
function(protector_static_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE protector_warnings)
  # What the libraries need is known once the whole tree has been read.
  cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY [[${PROJECT_SOURCE_DIR}]] CALL protector_link_static ${name} ${ARG_LIBS})")
endfunction()

function(protector_link_static name)
  set(own)
  set(todo ${ARGN})
  while(todo)
    list(POP_FRONT todo library)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" library "${library}")
    if(NOT library MATCHES "^protector_" OR library STREQUAL "protector_warnings" OR library IN_LIST own)
      continue()
    endif()
    list(APPEND own ${library})
    get_target_property(needs ${library} INTERFACE_LINK_LIBRARIES)
    if(needs)
      list(APPEND todo ${needs})
    endif()
  endwhile()

  pkg_get_variable(grpc_libdir grpc++ libdir)
  pkg_check_modules(PROTECTOR_GRPC_STATIC REQUIRED QUIET grpc++)
  set(archives)
  foreach(library IN LISTS PROTECTOR_GRPC_STATIC_STATIC_LIBRARIES ITEMS protobuf yaml-cpp)
    find_library(PROTECTOR_ARCHIVE_${library} NAMES lib${library}.a HINTS ${grpc_libdir})
    # What has no archive (libdl, libatomic, ...) or is the system's business (OpenSSL) stays shared.
    if(PROTECTOR_ARCHIVE_${library} AND NOT library MATCHES "^(ssl|crypto|dl|rt|m|pthread|atomic|c)$")
      list(APPEND archives ${PROTECTOR_ARCHIVE_${library}})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES archives)

  foreach(library IN LISTS own)
    get_target_property(type ${library} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
      list(APPEND own_archives $<TARGET_FILE:${library}>)
    endif()
  endforeach()
  add_dependencies(${name} ${own})
  # One group: the archives need each other in both directions.
  target_link_libraries(${name} PRIVATE
    -Wl,--start-group ${own_archives} ${archives} -Wl,--end-group
    -Wl,--gc-sections -Wl,--as-needed OpenSSL::SSL OpenSSL::Crypto fmt::fmt Threads::Threads ${CMAKE_DL_LIBS} rt)
endfunction()
