# Run by an installation: installs the text ${source} as ${target}, a path below the prefix, compressed if its name ends in
# .gz. Paths of files of pons in it, which in the source are those below /usr, become those of this prefix.
set(file "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/${target}")
get_filename_component(directory "${file}" DIRECTORY)
file(MAKE_DIRECTORY "${directory}")
set(compress cat)
if(target MATCHES "[.]gz$")
  set(compress gzip -9nc) # -n: without the time of the build, for reproducible packages
endif()
message(STATUS "Installing: ${file}")
execute_process(
  COMMAND sed -E -e "s,/usr/((lib|sbin|share)/[0-9A-Za-z./-]*pons),${CMAKE_INSTALL_PREFIX}/\\1,g" -e
          "s,/lib/cni/pons,/${plugin_dir}/pons,g" "${source}"
  COMMAND ${compress}
  OUTPUT_FILE "${file}" COMMAND_ERROR_IS_FATAL ANY)
file(CHMOD "${file}" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
list(APPEND CMAKE_INSTALL_MANIFEST_FILES "${CMAKE_INSTALL_PREFIX}/${target}")
