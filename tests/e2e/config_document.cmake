# docs/CONFIGURATION.md is printed by the program; a stale copy fails. To renew it:
# undertone config document > docs/CONFIGURATION.md
if(TARGET undertone)
    add_test(NAME lint.config_document
             COMMAND sh -c "$<TARGET_FILE:undertone> config document | diff -u '${CMAKE_SOURCE_DIR}/docs/CONFIGURATION.md' -")
    set_tests_properties(lint.config_document PROPERTIES LABELS lint TIMEOUT 30)
endif()
