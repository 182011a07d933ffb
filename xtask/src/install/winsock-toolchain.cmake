# Builds a Windows project for Linux: cmake -DCMAKE_TOOLCHAIN_FILE=PREFIX/lib/cmake/winsock/winsock-toolchain.cmake
#
# The drivers bring headers, libraries and what is predefined. To CMake the system is Linux, which names its files; what
# a project asks by `if(WIN32)` is answered as on Windows.
get_filename_component(WINSOCK_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(CMAKE_C_COMPILER "${WINSOCK_PREFIX}/bin/winsock-cc")
set(CMAKE_CXX_COMPILER "${WINSOCK_PREFIX}/bin/winsock-c++")
list(APPEND CMAKE_PREFIX_PATH "${WINSOCK_PREFIX}")
# After the platform's own files, which set it to what the system is.
set(CMAKE_PROJECT_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/winsock-is-windows.cmake")
