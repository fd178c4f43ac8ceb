# `cmake --install` puts headers under include/cadena and a package file, so that find_package(cadena) works elsewhere.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(installed)
foreach(name autodiff nn optim data plot train)
  if(TARGET cadena_${name})
    list(APPEND installed cadena_${name})
    install(DIRECTORY ${name} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cadena FILES_MATCHING PATTERN *.hpp)
  endif()
endforeach()
if(NOT installed)
  return()
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cadena)
install(TARGETS ${installed} EXPORT cadena ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT cadena NAMESPACE cadena:: FILE cadena-targets.cmake DESTINATION ${package_folder})

configure_package_config_file(cmake/cadena-config.cmake.in cadena-config.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(cadena-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cadena-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/cadena-config-version.cmake
        DESTINATION ${package_folder})
