# The version that the header says. Libraries fit programs of the same major version that are not newer; while that is
# 0, of the same minor version.
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../../../include/kinograd.h" _lines REGEX "^#define KG_VERSION_")
string(REGEX REPLACE ".*MAJOR ([0-9]+).*" "\\1" _major "${_lines}")
string(REGEX REPLACE ".*MINOR ([0-9]+).*" "\\1" _minor "${_lines}")
string(REGEX REPLACE ".*PATCH ([0-9]+).*" "\\1" _patch "${_lines}")
set(PACKAGE_VERSION "${_major}.${_minor}.${_patch}")

set(PACKAGE_VERSION_COMPATIBLE FALSE)
set(PACKAGE_VERSION_EXACT FALSE)
if(_major STREQUAL "0")
  set(_needed "0.${PACKAGE_FIND_VERSION_MINOR}")
  set(_has "0.${_minor}")
else()
  set(_needed "${PACKAGE_FIND_VERSION_MAJOR}")
  set(_has "${_major}")
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_EXACT TRUE)
endif()
if(PACKAGE_FIND_VERSION_MAJOR STREQUAL _major
   AND _needed STREQUAL _has
   AND NOT PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION
)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
