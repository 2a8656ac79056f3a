# undertone model: info, check, and fetch from a stand-in hub on this machine.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

if(TARGET undertone)
    add_test(NAME e2e.model
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/test_model.py
                     $<TARGET_FILE:undertone>)
    set_tests_properties(e2e.model PROPERTIES TIMEOUT 300)
endif()
