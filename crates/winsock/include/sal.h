/* Microsoft's notes on parameters, which say nothing to other compilers. The older ones in lower case (`__in`) clash with
 * names inside libstdc++; winsock-cc takes them out of sources instead. */
#ifndef _SAL_H_
#define _SAL_H_

#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(n)
#define _In_reads_opt_(n)
#define _In_reads_bytes_(n)
#define _In_reads_bytes_opt_(n)
#define _In_reads_z_(n)
#define _In_range_(low, high)
#define _Out_
#define _Out_opt_
#define _Out_writes_(n)
#define _Out_writes_opt_(n)
#define _Out_writes_bytes_(n)
#define _Out_writes_bytes_opt_(n)
#define _Out_writes_bytes_to_(n, count)
#define _Out_writes_bytes_to_opt_(n, count)
#define _Out_writes_bytes_all_(n)
#define _Out_writes_to_(n, count)
#define _Out_writes_to_opt_(n, count)
#define _Out_writes_z_(n)
#define _Inout_
#define _Inout_opt_
#define _Inout_z_
#define _Inout_updates_(n)
#define _Inout_updates_z_(n)
#define _Inout_updates_bytes_(n)
#define _Inout_updates_opt_(n)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_result_bytebuffer_(n)
#define _Deref_out_
#define _Deref_out_opt_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_z_
#define _Reserved_
#define _Pre_maybenull_
#define _Pre_notnull_
#define _Post_invalid_
#define _Post_ptr_invalid_
#define _Field_size_(n)
#define _Field_size_opt_(n)
#define _Field_size_bytes_(n)
#define _Null_terminated_
#define _Check_return_
#define _Must_inspect_result_
#define _Success_(condition)
#define _When_(condition, notes)
#define _At_(target, notes)
#define _Use_decl_annotations_
#define _Function_class_(name)
#define _Printf_format_string_
#define _Scanf_format_string_
#define _Acquires_lock_(lock)
#define _Releases_lock_(lock)
#define _Requires_lock_held_(lock)
#define _Interlocked_operand_
#define _Frees_ptr_
#define _Frees_ptr_opt_
#define _Analysis_assume_(condition)
#define _Analysis_noreturn_
#define __analysis_assume(condition)
#define __callback
#define __format_string
#define __nullterminated
#define __success(condition)
#define __checkReturn
#define __drv_aliasesMem
#define __drv_allocatesMem(kind)
#define __drv_freesMem(kind)
#define IN
#define OUT
#define OPTIONAL

#endif
