// SPDX-License-Identifier: MIT
// activation_properties - mlp_activation keeps the contract of streams
//
//     the table's entry of each value, divided by 2^DROP and cut off at the ends of an address

`default_nettype none

module activation_properties #(
    parameter LANES    = 1,
    parameter X_W      = 4,
    parameter DROP     = 0,
    parameter ADDR_W   = 4,
    parameter Y_W      = 3,
    parameter FILE     = "",
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire                 clk,
    input wire                 rst,
    input wire                 in_valid,
    input wire                 in_last,
    input wire [LANES*X_W-1:0] in_x,
    input wire                 out_ready
);

    wire                 in_ready;
    wire                 out_valid;
    wire                 out_last;
    wire [LANES*Y_W-1:0] out_y;

    mlp_activation #(
        .LANES(LANES), .X_W(X_W), .DROP(DROP), .ADDR_W(ADDR_W), .Y_W(Y_W), .FILE(FILE)
    ) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_x(in_x),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_y(out_y)
    );

    localparam integer HALF = 1 << (ADDR_W - 1);

    reg [Y_W-1:0]       entries [0:(1<<ADDR_W)-1];
    reg [LANES*Y_W-1:0] expected;
    integer k, a;

    initial
        if (FILE != "")
            $readmemh(FILE, entries);

    always @*
        for (k = 0; k < LANES; k = k + 1) begin
            a = $signed(in_x[k*X_W +: X_W]) >>> DROP;
            a = a < -HALF ? -HALF : a > HALF - 1 ? HALF - 1 : a;
            expected[k*Y_W +: Y_W] = entries[a < 0 ? a + 2*HALF : a];
        end

    stream_contract #(.W(1 + LANES*Y_W), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised({in_last, expected}),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_last, out_y})
    );

endmodule

`default_nettype wire
