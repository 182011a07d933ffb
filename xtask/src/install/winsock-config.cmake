# The target winsock::winsock, for sources that need no translation: with winsock-cc as the compiler it is not needed.
get_filename_component(_winsock_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET winsock::winsock)
  add_library(winsock::winsock SHARED IMPORTED)
  set_target_properties(winsock::winsock PROPERTIES
    IMPORTED_LOCATION "${_winsock_prefix}/lib/libwinsock.so"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${_winsock_prefix}/include/winsock"
    INTERFACE_INCLUDE_DIRECTORIES "${_winsock_prefix}/include/winsock"
    INTERFACE_COMPILE_DEFINITIONS "_WIN32=1;_WIN64=1;WIN32=1"
    INTERFACE_COMPILE_OPTIONS "-fms-extensions;-fno-strict-aliasing")
endif()
unset(_winsock_prefix)
