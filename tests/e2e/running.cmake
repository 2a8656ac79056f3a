# What can be done to a running undertone.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

if(TARGET undertone AND TARGET undertone-sim)
    add_test(NAME e2e.running
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/test_running.py
                     $<TARGET_FILE:undertone> $<TARGET_FILE:undertone-sim>)
    set_tests_properties(e2e.running PROPERTIES TIMEOUT 300 LABELS live)
endif()
