# The commands that need no network, as a user would type them.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

if(TARGET undertone)
    add_test(NAME e2e.cli
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/test_cli.py
                     $<TARGET_FILE:undertone>)
    set_tests_properties(e2e.cli PROPERTIES TIMEOUT 600)
endif()
