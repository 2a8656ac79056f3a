# The kernels for 64-bit ARM, cross-built and run under an emulator; skipped, with the reason, where
# either is missing (tools/install_packages.sh --cross installs both).
add_test(NAME cross.aarch64.kernels COMMAND ${CMAKE_SOURCE_DIR}/tests/aarch64/test_kernels.sh)
set_tests_properties(cross.aarch64.kernels PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
