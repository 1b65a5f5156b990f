// SPDX-License-Identifier: MIT
// mlp_layers - the linear layers of a network, one behind the other
//
//     out = layer[N_LAYERS-1](... layer[0](in))
//
// Golden model   model/reference.py: trace; parameters from model/spec.py: NetworkSpec.parameters
// Stream         in: a vector in N[0]/LANES beats, last on the final one; out: a vector a beat
// Throughput     as the slowest layer
// Latency        the sum of the layers'
//
// Where every layer has a plan nothing waits: no register asks if it may move, and mlp_credits lets a
// vector in where its result has a place. A list parameter is as that of mlp_top.

`default_nettype none

module mlp_layers #(
    parameter N_LAYERS                   = 1,           // linear layers, 1 .. 99
    parameter [32*(N_LAYERS+1)-1:0] N    = 64'h00000003_00000004,   // features, then outputs of each layer
    parameter [32*(N_LAYERS+1)-1:0] X_W  = 64'h00000008_00000008,   // feature width, then output widths
    parameter [32*N_LAYERS-1:0] W_W      = 32'd8,       // weight width of each layer
    parameter [32*N_LAYERS-1:0] ACC_W    = 32'd20,      // accumulator width of each layer
    parameter [32*N_LAYERS-1:0] SHIFT    = 32'd7,       // fraction bits dropped by each layer
    parameter [32*N_LAYERS-1:0] RELU     = 32'd0,       // 1 where a ReLU follows
    parameter [32*N_LAYERS-1:0] TABLE_W  = {N_LAYERS{32'd0}},   // bits into an activation's table, 0: none
    parameter [32*N_LAYERS-1:0] SIMD     = 32'd1,       // inputs per cycle of each layer
    parameter [32*N_LAYERS-1:0] PE       = 32'd1,       // outputs side by side of each layer
    parameter LANES                      = 4,           // features of a beat: all N[0], or as mlp_layer's
    parameter LOADABLE                   = 0,           // 1: weights and biases can be replaced; 0 .. 1
    parameter [32*(N_LAYERS+1)-1:0] PLAN_AT = {(N_LAYERS+1){32'd0}},    // first word of each plan, and all
    parameter [32*PLAN_AT[32*N_LAYERS +: 32]+31:0] PLANS = 32'd0,   // plans of mlp_graph, and a word
    parameter MEM_DIR                    = ""           // folder of the ROM images
) (
    input  wire                                                 clk,
    input  wire                                                 rst,    // synchronous, active high
    input  wire [10:0]                                          load,   // the bus of mlp_load
    output wire                                                 load_full,

    input  wire                                                 in_valid,
    output wire                                                 in_ready,
    input  wire                                                 in_last,
    input  wire [LANES*$signed(X_W[31:0])-1:0]                  in_x,

    output wire                                                 out_valid,
    input  wire                                                 out_ready,
    output wire [N[32*N_LAYERS +: 32]*X_W[32*N_LAYERS +: 32]-1:0] out_x
);

    // An entry is made an integer before it is passed on: a parameter inherits the width it is given.
    localparam integer FEATURE_W = X_W[31:0], OUT_BITS = N[32*N_LAYERS +: 32] * X_W[32*N_LAYERS +: 32];
    localparam         WAITS     = !all_planned(N_LAYERS);

    function all_planned(input integer layers);
        integer j;
        begin
            all_planned = 1'b1;
            for (j = 0; j < layers; j = j + 1)
                all_planned = all_planned && PLAN_AT[32*j +: 32] != PLAN_AT[32*(j+1) +: 32];
        end
    endfunction

    // Stream k, k = 0 .. N_LAYERS, leads into layer k; its beat begins at bit offset(k) of `x`.
    function integer offset(input integer k);
        integer j;
        begin
            offset = k == 0 ? 0 : LANES * FEATURE_W;
            for (j = 1; j < k; j = j + 1)
                offset = offset + $signed(N[32*j +: 32] * X_W[32*j +: 32]);
        end
    endfunction

    // Cycles from the first layer to behind the last, where all have a plan.
    function integer cycles(input integer layers);
        integer j, stages;
        begin
            cycles = 0;
            for (j = 0; j < layers; j = j + 1) begin
                stages = $signed({16'd0, PLANS[32*PLAN_AT[32*j +: 32] + 16 +: 16]});
                cycles = cycles + stages + (TABLE_W[32*j +: 32] == 32'd0 ? 3 : 4);
            end
        end
    endfunction

    wire [offset(N_LAYERS+1)-1:0] x;
    wire [N_LAYERS:0]             x_valid, x_ready;
    wire [N_LAYERS:0]             full;         // the memories of all layers in front of layer k

    assign full[0]                 = 1'b1;
    assign load_full               = full[N_LAYERS];
    assign x[0 +: LANES*FEATURE_W] = in_x;

    genvar k;
    generate
        for (k = 0; k < N_LAYERS; k = k + 1) begin : g_layer
            localparam integer N_IN     = N[32*k +: 32],    N_OUT    = N[32*(k+1) +: 32];
            localparam integer IN_W     = X_W[32*k +: 32],  OUT_W    = X_W[32*(k+1) +: 32];
            localparam integer WEIGHT_W = W_W[32*k +: 32],  SUM_W    = ACC_W[32*k +: 32];
            localparam integer DROPPED  = SHIFT[32*k +: 32], HAS_RELU = RELU[32*k +: 32];
            localparam integer ENTRY_W  = TABLE_W[32*k +: 32], N_LANES = k == 0 ? LANES : N_IN;
            localparam integer N_SIMD   = SIMD[32*k +: 32], N_PE     = PE[32*k +: 32];
            localparam integer FIRST    = PLAN_AT[32*k +: 32], FOLLOW   = PLAN_AT[32*(k+1) +: 32];
            localparam integer FROM     = offset(k),           TO       = offset(k+1);

            // Two decimal digits number the images of a layer.
            localparam [7:0] TENS    = 48 + k / 10, ONES = 48 + k % 10;
            localparam       WEIGHTS = {MEM_DIR, "/linear", TENS, ONES, "_weights.mem"};
            localparam       BIASES  = {MEM_DIR, "/linear", TENS, ONES, "_biases.mem"};
            localparam       ENTRIES = {MEM_DIR, "/linear", TENS, ONES, "_table.mem"};

            mlp_layer #(
                .N_IN(N_IN), .N_OUT(N_OUT), .X_W(IN_W), .W_W(WEIGHT_W), .ACC_W(SUM_W), .Y_W(OUT_W),
                .SHIFT(DROPPED), .RELU(HAS_RELU), .TABLE_W(ENTRY_W), .LANES(N_LANES), .SIMD(N_SIMD),
                .PE(N_PE), .LOADABLE(LOADABLE), .WORDS(FOLLOW - FIRST),
                .PLAN(PLANS[32*FIRST +: 32*(FOLLOW-FIRST)+32]), .WEIGHTS(MEM_DIR == "" ? "" : WEIGHTS),
                .BIASES(MEM_DIR == "" ? "" : BIASES), .TABLE(MEM_DIR == "" ? "" : ENTRIES)
            ) u_layer (
                .clk(clk), .rst(rst), .load({full[k], load}), .load_full(full[k+1]),
                .in_valid(x_valid[k]), .in_ready(x_ready[k]), .in_last(k > 0 || in_last),
                .in_x(x[FROM +: N_LANES*IN_W]), .out_valid(x_valid[k+1]), .out_ready(x_ready[k+1]),
                .out_x(x[TO +: N_OUT*OUT_W])
            );
        end

        if (WAITS) begin : g_waits
            assign x_valid[0]        = in_valid;
            assign in_ready          = x_ready[0];
            assign out_valid         = x_valid[N_LAYERS];
            assign x_ready[N_LAYERS] = out_ready;
            assign out_x             = x[offset(N_LAYERS) +: OUT_BITS];
        end else begin : g_never
            wire unused = &{1'b0, x_ready[0]};      // always 1

            mlp_credits #(.W(OUT_BITS), .PLACES(cycles(N_LAYERS) + 1)) u_credits (
                .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .enters(x_valid[0]),
                .done_valid(x_valid[N_LAYERS]), .done_data(x[offset(N_LAYERS) +: OUT_BITS]),
                .out_valid(out_valid), .out_ready(out_ready), .out_data(out_x)
            );

            assign x_ready[N_LAYERS] = 1'b1;
        end
    endgenerate

endmodule

`default_nettype wire
