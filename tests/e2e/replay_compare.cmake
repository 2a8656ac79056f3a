# Two judgements of recorded calls side by side.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

if(TARGET undertone)
    add_test(NAME e2e.replay_compare
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/test_replay_compare.py
                     $<TARGET_FILE:undertone>)
    set_tests_properties(e2e.replay_compare PROPERTIES TIMEOUT 300)
endif()
