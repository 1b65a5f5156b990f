// SPDX-License-Identifier: MIT
// mlp_delay - a value some cycles later
//
//     out(t) = in(t - CYCLES)            counting only cycles with en
//
// Golden model   the identity
// Latency        CYCLES cycles; holds while !en
//
// Tie rst to 0 where the value is a payload: nothing then depends on a reset.

`default_nettype none

module mlp_delay #(
    parameter W      = 8,               // bits
    parameter CYCLES = 2                // 0 or more
) (
    input  wire         clk,
    input  wire         rst,            // synchronous, active high
    input  wire         en,
    input  wire [W-1:0] in_data,
    output wire [W-1:0] out_data
);

    genvar i;
    generate
        for (i = 0; i <= CYCLES; i = i + 1) begin : g_stage
            wire [W-1:0] value;

            if (i == 0) begin : g_now
                assign value = in_data;
            end else begin : g_later
                reg [W-1:0] data_q;

                always @(posedge clk) begin
                    if (rst)
                        data_q <= {W{1'b0}};
                    else if (en)
                        data_q <= g_stage[i-1].value;
                end

                assign value = data_q;
            end
        end

        if (CYCLES == 0) begin : g_wire
            wire unused = &{1'b0, clk, rst, en};
        end
    endgenerate

    assign out_data = g_stage[CYCLES].value;

endmodule

`default_nettype wire
