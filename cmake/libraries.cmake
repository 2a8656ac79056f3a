# Outside libraries, all from Debian 12. Each is linked by exactly one room (ARCHITECTURE.md).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(pair uv:libuv curl:libcurl microhttpd:libmicrohttpd jansson:jansson yaml:yaml-0.1
             utf8proc:libutf8proc sodium:libsodium openssl:openssl zlib:zlib sqlite:sqlite3 pcre2:libpcre2-8
             )
    string(REPLACE ":" ";" parts ${pair})
    list(GET parts 0 name)
    list(GET parts 1 module)
    pkg_check_modules(PC_${name} REQUIRED IMPORTED_TARGET ${module})
    add_library(ut::${name} ALIAS PkgConfig::PC_${name})
endforeach()
pkg_check_modules(PC_cmocka REQUIRED IMPORTED_TARGET cmocka)
add_library(ut::cmocka ALIAS PkgConfig::PC_cmocka)
