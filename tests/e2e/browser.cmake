# The supervisors' page in Debian's chromium. Debian's Python, because its selenium is installed for
# that one. Skipped where there is no browser (tools/install_packages.sh --browser installs it).
find_program(UNDERTONE_SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)

if(TARGET undertone AND TARGET undertone-sim AND UNDERTONE_SYSTEM_PYTHON)
    foreach(name wallboard feedback)
        add_test(NAME browser.${name}
                 COMMAND ${UNDERTONE_SYSTEM_PYTHON} -B
                         ${CMAKE_SOURCE_DIR}/tests/browser/test_${name}.py
                         --build ${CMAKE_BINARY_DIR} --out ${CMAKE_BINARY_DIR}/browser-${name})
        set_tests_properties(browser.${name} PROPERTIES RUN_SERIAL TRUE TIMEOUT 300 LABELS live
                                                        SKIP_RETURN_CODE 77)
    endforeach()
endif()
