# One set of flags for every target, so that no room is built more leniently than another.
# Truncating snprintf is used on purpose (error messages), hence no format-truncation warning.
add_library(ut_flags INTERFACE)
target_compile_definitions(ut_flags INTERFACE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE
                                              UNDERTONE_VERSION="${PROJECT_VERSION}")
target_compile_options(
    ut_flags
    INTERFACE -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes
              -Wmissing-prototypes -Wvla -Wformat=2 -Wno-format-truncation -Wundef -fno-strict-overflow
              -ffp-contract=off -fno-common -fvisibility=hidden)
if(UNDERTONE_WERROR)
    target_compile_options(ut_flags INTERFACE -Werror)
endif()
if(UNDERTONE_SANITIZE)
    target_compile_options(ut_flags INTERFACE -fsanitize=address,undefined
                                              -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(ut_flags INTERFACE -fsanitize=address,undefined)
elseif(UNDERTONE_TSAN)
    target_compile_options(ut_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(ut_flags INTERFACE -fsanitize=thread)
else()
    target_compile_options(ut_flags INTERFACE -fstack-protector-strong
                                              $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
    target_link_options(ut_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
