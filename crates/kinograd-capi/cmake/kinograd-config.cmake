# The library that `cargo cinstall` puts beside this file: find_package(kinograd), kinograd::kinograd.
get_filename_component(_kinograd_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
find_path(KINOGRAD_INCLUDE_DIR kinograd.h PATHS "${_kinograd_prefix}/include" NO_DEFAULT_PATH)
find_library(
  KINOGRAD_LIBRARY kinograd
  PATHS "${_kinograd_prefix}"
  PATH_SUFFIXES "lib/${CMAKE_LIBRARY_ARCHITECTURE}" lib64 lib
  NO_DEFAULT_PATH
)
mark_as_advanced(KINOGRAD_INCLUDE_DIR KINOGRAD_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(kinograd REQUIRED_VARS KINOGRAD_LIBRARY KINOGRAD_INCLUDE_DIR)

if(kinograd_FOUND AND NOT TARGET kinograd::kinograd)
  add_library(kinograd::kinograd UNKNOWN IMPORTED)
  set_target_properties(
    kinograd::kinograd
    PROPERTIES IMPORTED_LOCATION "${KINOGRAD_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${KINOGRAD_INCLUDE_DIR}"
  )
endif()
